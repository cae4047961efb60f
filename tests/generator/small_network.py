"""A small network whose every path is in use, and a piece in which a passage returns."""

import numpy as np
import torch

from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.copying import copy_predictions
from generator.engine.tokens.vocabulary import METRES, SIZES, phrase_ids, position_ids
from generator.engine.training.batches import PreparedPiece

SHAPE = NetworkShape(
    hidden=32,
    layers=2,
    bottleneck=8,
    head_size=8,
    memory=6,
    field_hidden=16,
    pointer_size=8,
    pointer_memory=24,
)
N_EVENTS = 90


def prepared(events):
    onsets = np.cumsum(events[:, 0], dtype=np.int64)
    opens = np.ones((len(events), 3), dtype=bool)
    opens[1:, 1] = np.diff(onsets // 4) > 0
    opens[1:, 2] = np.diff(onsets // 16) > 0
    predicted, match = copy_predictions(events)
    conditions = np.linspace(-1, 1, SHAPE.conditions, dtype=np.float32)[None, :]
    return PreparedPiece(
        events,
        predicted,
        match,
        position_ids(onsets, METRES[0]),
        phrase_ids(onsets, METRES[0]),
        opens,
        conditions,
        0.5,
    )


def small_network():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    made = LstmAcm(SHAPE).eval()
    for parameter in made.parameters():
        # Fresh weights leave whole paths at zero; a test must run them all.
        parameter.data += 0.2 * torch.randn_like(parameter)
    return made


def returning_piece():
    rng = np.random.default_rng(2)
    shifts = rng.choice((0, 1, 2, 4, 7), size=N_EVENTS)
    columns = [shifts, *(rng.integers(size, size=N_EVENTS) for size in SIZES[1:])]
    events = np.column_stack(columns).astype(np.uint8)
    # A passage returns, so that the copy head has something to say.
    events[40:80] = events[5:45]
    return prepared(events)
