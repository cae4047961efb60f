"""LSTM-ACM: stacked LSTM, residual convolutions and multi-scale attention (Li 2025), in torch.

Axes
----
B batch, T event, D hidden (256), F field of an event (5), C condition (12)

The network reads one event a step (embeddings of its five fields, its metrical position and its bar
in the phrase, added up) and foretells the next, field by field: each head also sees the fields that
were already chosen. A *copy head* mixes in what the piece's own past suggests (`tokens.copying`):
``p = (1 - l) p_network + l p_copy``.

Deviations from the source
--------------------------
1. Equation 5 writes the carried cell as if it came from the layer below; it is the layer's own.
2. The three convolutions of a residual block (equation 8) are causal, with GELU between them;
   written as printed, three linear maps in a row are one.
3. The conditions (style, mode, tempo, calmness, density) and the copy head are ours.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.engine.networks.attention import MultiScaleAttention, ScaleMemory
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.copying import N_MATCH_CLASSES
from generator.engine.tokens.vocabulary import BARS_PER_PHRASE, N_POSITIONS, SIZES

CONV_WIDTH = 3


class Stretch(NamedTuple):
    """A stretch of events of B pieces as the network reads them.

    `heard` (B, T, 5) is the event before each step, with `is_start` (B, T) where there is none yet;
    `heard_position`, `heard_phrase` (B, T) say where it lies; `opens` (B, T, 3) whether it opened a
    new note, beat, bar; `conditions` (B, C).
    """

    heard: Tensor
    is_start: Tensor
    heard_position: Tensor
    heard_phrase: Tensor
    opens: Tensor
    conditions: Tensor


class Outcome(NamedTuple):
    """The events that came: `events` (B, T, 5), their `position` (B, T), copy guess and class."""

    events: Tensor
    position: Tensor
    predicted: Tensor
    match: Tensor


class Carried(NamedTuple):
    """All that the network remembers between two stretches of the same pieces."""

    hidden: tuple[Tensor, ...]
    cell: tuple[Tensor, ...]
    conv: tuple[Tensor, ...]
    memories: tuple[ScaleMemory, ...]
    previous: Tensor


class ResidualBlock(nn.Module):
    """Y = F(x) + x with F = three convolutions, steered by the conditions (equations 7 and 8)."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.hidden)
        self.film = nn.Linear(shape.conditions, 2 * shape.hidden)
        self.squeeze = nn.Linear(shape.hidden, shape.bottleneck)
        self.conv = nn.Conv1d(shape.bottleneck, shape.bottleneck, CONV_WIDTH)
        self.expand = nn.Linear(shape.bottleneck, shape.hidden)
        for layer in (self.film, self.expand):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, conditions: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Return the block's output (B, T, D) and the two vectors the next stretch begins with."""
        scale, shift = self.film(conditions).unsqueeze(1).chunk(2, dim=2)
        y = self.norm(x) * (1 + scale) + shift
        y = functional.gelu(self.squeeze(y))  # w_1
        y = torch.cat([past, y], dim=1)
        past = y[:, -(CONV_WIDTH - 1) :]
        y = functional.gelu(self.conv(y.transpose(1, 2)).transpose(1, 2))  # w_2, causal
        return x + self.expand(y), past  # w_3, eq. 7


class LstmAcm(nn.Module):
    """The network of the LSTM-ACM arm.

    Parameters
    ----------
    shape : NetworkShape
    dropout : float
        On the input of each LSTM layer and of the heads, while training.
    """

    def __init__(self, shape: NetworkShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        width = shape.hidden
        self.fields = nn.ModuleList(nn.Embedding(size, width) for size in SIZES)
        self.position = nn.Embedding(N_POSITIONS, width)
        self.phrase = nn.Embedding(BARS_PER_PHRASE, width)
        self.start = nn.Parameter(torch.zeros(width))
        self.condition = nn.Linear(shape.conditions, width)
        self.lstms = nn.ModuleList(
            nn.LSTM(width, width, batch_first=True) for _ in range(shape.layers)
        )
        self.blocks = nn.ModuleList(ResidualBlock(shape) for _ in range(shape.layers))
        self.attention = MultiScaleAttention(shape)
        self.norm = nn.LayerNorm(width)
        self.chain = nn.ModuleList(nn.Embedding(size, width) for size in SIZES[:-1])
        self.landing = nn.Embedding(N_POSITIONS, width)
        self.head_in = nn.ModuleList(nn.Linear(width, shape.field_hidden) for _ in SIZES)
        self.head_out = nn.ModuleList(nn.Linear(shape.field_hidden, size) for size in SIZES)
        self.copy_gate = nn.Linear(width, len(SIZES))
        self.copy_match = nn.Embedding(N_MATCH_CLASSES, len(SIZES))
        self.dropout = nn.Dropout(dropout)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.05)
        for lstm in self.lstms:
            # A forget gate that starts open lets gradients through (Jozefowicz et al. 2015).
            nn.init.zeros_(lstm.bias_hh_l0)
            nn.init.zeros_(lstm.bias_ih_l0)
            lstm.bias_ih_l0.data[self.shape.hidden : 2 * self.shape.hidden] = 1.0

    def initial(self, batch: int) -> Carried:
        """Return the memory of `batch` pieces that have not begun."""
        zeros = torch.zeros(1, batch, self.shape.hidden)
        past = torch.zeros(batch, CONV_WIDTH - 1, self.shape.bottleneck)
        layers = range(self.shape.layers)
        return Carried(
            tuple(zeros for _ in layers),
            tuple(zeros for _ in layers),
            tuple(past for _ in layers),
            tuple(s.initial(batch, self.shape.hidden) for s in self.attention.scales),
            torch.zeros(batch, self.shape.hidden),
        )

    def forward(self, stretch: Stretch, carried: Carried) -> tuple[Tensor, Tensor, Carried]:
        """Return the state before each event (B, T, D), the scale weights, and the new memory."""
        heard = stretch.heard.long()
        x = sum(embed(heard[..., index]) for index, embed in enumerate(self.fields))
        x = x + self.position(stretch.heard_position) + self.phrase(stretch.heard_phrase)
        x = torch.where(stretch.is_start.unsqueeze(2), self.start, x)
        x = x + self.condition(stretch.conditions).unsqueeze(1)
        hidden, cell, conv = [], [], []
        for index, (lstm, block) in enumerate(zip(self.lstms, self.blocks, strict=True)):
            memory = (carried.hidden[index], carried.cell[index])
            output, (h, c) = lstm(self.dropout(x), memory)  # eqs 1-6
            x, past = block(x + output, stretch.conditions, carried.conv[index])
            hidden.append(h)
            cell.append(c)
            conv.append(past)
        context, gamma, memories = self.attention(
            x, stretch.opens, carried.memories, carried.previous
        )
        state = self.dropout(self.norm(x + context))
        after = Carried(tuple(hidden), tuple(cell), tuple(conv), memories, x[:, -1])
        return state, gamma, after

    def field_logits(self, state: Tensor, events: Tensor, position: Tensor) -> list[Tensor]:
        """Return the logits of each field (B, T, size), given the true fields before it."""
        events = events.long()
        logits = []
        for index, (into, out) in enumerate(zip(self.head_in, self.head_out, strict=True)):
            logits.append(out(functional.gelu(into(state))))
            if index == 0:
                state = state + self.landing(position)
            if index < len(self.chain):
                state = state + self.chain[index](events[..., index])
        return logits

    def log_likelihood(self, state: Tensor, outcome: Outcome) -> Tensor:
        """Return log p of each field of each event (B, T, F), copy head included."""
        logits = self.field_logits(state, outcome.events, outcome.position)
        gates = (self.copy_gate(state) + self.copy_match(outcome.match.long())).float()
        agrees = outcome.match > 0
        columns = []
        for index, field in enumerate(logits):
            truth, guess = outcome.events[..., index].long(), outcome.predicted[..., index].long()
            own = torch.log_softmax(field.float(), dim=2)
            own = own.gather(2, truth.unsqueeze(2)).squeeze(2)
            gate = gates[..., index]
            copied = torch.where(
                guess == truth, functional.logsigmoid(gate), torch.full_like(gate, -1e4)
            )
            mixed = torch.logaddexp(functional.logsigmoid(-gate) + own, copied)
            columns.append(torch.where(agrees, mixed, own))
            agrees = agrees & (guess == truth)
        return torch.stack(columns, dim=2)
