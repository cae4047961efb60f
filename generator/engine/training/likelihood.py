"""Negative log-likelihood of held-out pieces under a network, nats a note, field by field."""

from collections.abc import Sequence

import numpy as np
import torch

from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.tokens.vocabulary import FIELDS
from generator.engine.training.batches import PreparedPiece, make_batch


def held_out_nll(
    network: LstmAcm, pieces: Sequence[PreparedPiece], length: int, lanes: int = 32
) -> np.ndarray:
    """Return the mean negative log-likelihood of each field, nats an event, conditions hidden.

    Every event of every piece counts once; each piece is heard from its start with carried memory.
    """
    return piece_nll(network, pieces, length, lanes)[0].sum(axis=0) / sum(map(len, pieces))


@torch.no_grad()
def piece_nll(
    network: LstmAcm,
    pieces: Sequence[PreparedPiece],
    length: int,
    lanes: int = 32,
    *,
    hidden: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (summed negative log-likelihood of each field, number of events) of each piece."""
    network.eval()
    device = network.start.device
    totals = np.zeros((len(pieces), len(FIELDS)))
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))
    for first in range(0, len(order), lanes):
        group = order[first : first + lanes]
        carried = network.initial(len(group))
        for at in range(0, max(len(pieces[index]) for index in group), length):
            rows = [(pieces[i], min(at, len(pieces[i])), hidden) for i in group]
            batch = make_batch(rows, length, [False] * len(group)).to(device)
            log_p, _, carried = network.foretell(batch.stretch, batch.outcome, carried)
            totals[group] -= (log_p * batch.counts.unsqueeze(2)).sum(dim=1).double().cpu().numpy()
    return totals, np.array([len(piece) for piece in pieces])
