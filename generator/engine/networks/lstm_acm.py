"""LSTM-ACM: stacked LSTM, residual convolutions and multi-scale attention (Li 2025), in torch.

Axes
----
B batch, T event, D hidden (256), F field of an event (5), C condition (14)

The network reads one event a step (embeddings of its five fields, its metrical position and its bar
in the phrase, added up) and foretells the next, field by field: each head also sees the fields that
were already chosen. A *copy head* mixes in what the piece's own past suggests, by exact suffixes
(`tokens.copying`) and by attention (`pointer`):

    p = l_0 p_network + l_1 p_suffix + l_2 p_pointer

The shares l are a softmax that depends on the moment, for each field on its own.

Deviations from the source
--------------------------
1. Equation 5 writes the carried cell as if it came from the layer below; it is the layer's own.
2. The three convolutions of a residual block (equation 8) are causal, with GELU between them;
   written as printed, three linear maps in a row are one.
3. The conditions (style, mode, tempo, calmness, density) and the copy head are ours.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.engine.networks.attention import MultiScaleAttention, ScaleMemory
from generator.engine.networks.pointer import FAINT, Pointed, Pointer, PointerMemory, no_moments
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import BARS_PER_PHRASE, N_POSITIONS, SIZES

CONV_WIDTH = 3
# Weight that must agree with the fields so far for the pointer to be heard at all.
LEAST_LOG_MASS = math.log(1e-6)
_NEVER = -1e4


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
    pointer: PointerMemory


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
    weight_drop : float
        On the weights from state to state of each LSTM, while training (Merity et al. 2018).
    field_drop : float
        Share of the heard fields that are not heard, while training.
    """

    def __init__(
        self,
        shape: NetworkShape,
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        field_drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape = shape
        self._weight_drop, self._field_drop = weight_drop, field_drop
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
        self.copy_match = nn.Embedding(shape.match_classes, len(SIZES))
        if shape.pointer_memory:
            self.pointer = Pointer(shape)
            self.pointer_gate = nn.Linear(width, len(SIZES))
            self.pointer_mass = nn.Parameter(torch.zeros(len(SIZES)))
            self.pointer_peak = nn.Parameter(torch.zeros(len(SIZES)))
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
        device = self.start.device
        zeros = torch.zeros(1, batch, self.shape.hidden, device=device)
        past = torch.zeros(batch, CONV_WIDTH - 1, self.shape.bottleneck, device=device)
        layers = range(self.shape.layers)
        pointer = no_moments(batch, self.shape.pointer_memory, self.shape.pointer_size, device)
        return Carried(
            tuple(zeros for _ in layers),
            tuple(zeros for _ in layers),
            tuple(past for _ in layers),
            tuple(s.initial(batch, self.shape.hidden) for s in self.attention.scales),
            zeros[0],
            pointer,
        )

    def foretell(
        self, stretch: Stretch, outcome: Outcome, carried: Carried
    ) -> tuple[Tensor, Tensor, Carried]:
        """Return log p of each field of each event (B, T, F), the scale weights, and the memory."""
        state, gamma, carried = self(stretch, carried)
        log_p, pointer = self.log_likelihood(state, outcome, carried.pointer)
        return log_p, gamma, carried._replace(pointer=pointer)

    def forward(self, stretch: Stretch, carried: Carried) -> tuple[Tensor, Tensor, Carried]:
        """Return the state before each event (B, T, D), the scale weights, and the new memory.

        The pointer's memory stays as it was: it grows when it is told what came.
        """
        x = self._embedded(stretch.heard.long())
        x = x + self.position(stretch.heard_position) + self.phrase(stretch.heard_phrase)
        x = torch.where(stretch.is_start.unsqueeze(2), self.start, x)
        conditions = stretch.conditions[:, : self.shape.conditions]
        x = x + self.condition(conditions).unsqueeze(1)
        hidden, cell, conv = [], [], []
        for index, (lstm, block) in enumerate(zip(self.lstms, self.blocks, strict=True)):
            memory = (carried.hidden[index], carried.cell[index])
            output, h, c = self._recurred(lstm, self.dropout(x), memory)  # eqs 1-6
            x, past = block(x + output, conditions, carried.conv[index])
            hidden.append(h)
            cell.append(c)
            conv.append(past)
        context, gamma, memories = self.attention(
            x, stretch.opens, carried.memories, carried.previous
        )
        state = self.norm(x + context)
        after = carried._replace(
            hidden=tuple(hidden),
            cell=tuple(cell),
            conv=tuple(conv),
            memories=memories,
            previous=x[:, -1],
        )
        return state, gamma, after

    def _embedded(self, heard: Tensor) -> Tensor:
        kept = [embed(heard[..., index]) for index, embed in enumerate(self.fields)]
        if self.training and self._field_drop:
            shape = (*heard.shape[:2], len(kept), 1)
            mask = functional.dropout(torch.ones(shape, device=heard.device), self._field_drop)
            kept = [field * mask[..., index, :] for index, field in enumerate(kept)]
        return sum(kept)

    def _recurred(
        self, lstm: nn.LSTM, x: Tensor, memory: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return output, hidden state and cell of one layer; its weights thinned while training."""
        if not (self.training and self._weight_drop):
            output, (hidden, cell) = lstm(x, memory)
            return output, hidden, cell
        thinned = functional.dropout(lstm.weight_hh_l0, self._weight_drop)
        weights = [lstm.weight_ih_l0, thinned, lstm.bias_ih_l0, lstm.bias_hh_l0]
        return torch.lstm(
            x,
            memory,
            weights,
            has_biases=True,
            num_layers=1,
            dropout=0.0,
            train=True,
            bidirectional=False,
            batch_first=True,
        )

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

    def log_likelihood(
        self, state: Tensor, outcome: Outcome, memory: PointerMemory
    ) -> tuple[Tensor, PointerMemory]:
        """Return log p of each field of each event (B, T, F), copy head included, and the memory.

        Parameters
        ----------
        state : Tensor, shape (B, T, D)
        outcome : Outcome
        memory : PointerMemory
            Of the events before the first of these.
        """
        events = outcome.events.long()
        dropped = self.dropout(state)
        logits = self.field_logits(dropped, events, outcome.position)
        own = torch.stack(
            [
                torch.log_softmax(field.float(), dim=2).gather(2, events[..., index, None])[..., 0]
                for index, field in enumerate(logits)
            ],
            dim=2,
        )
        sources, shares = [own], [torch.zeros_like(own)]
        said, share = self._suffix(dropped, events, outcome)
        sources.append(said)
        shares.append(share)
        if self.shape.pointer_memory:
            pointed, memory = self.pointer(state, events, memory)
            sources.append(pointed.log_p)
            shares.append(self._pointer_share(dropped, pointed))
        share = torch.log_softmax(torch.stack(shares), dim=0)
        return torch.logsumexp(share + torch.stack(sources), dim=0), memory

    def field_log_distribution(
        self, state: Tensor, outcome: Outcome, memory: PointerMemory, field: int
    ) -> Tensor:
        """Return log p of each value of one field (B, T, size), given the true fields before it."""
        events = outcome.events.long()
        own = self.field_logits(state, events, outcome.position)[field].float()
        told = functional.one_hot(outcome.predicted[..., field].long(), own.shape[2]).float()
        _, gate = self._suffix(state, events, outcome)
        sources, shares = [own.softmax(dim=2), told], [torch.zeros_like(gate), gate]
        if self.shape.pointer_memory:
            said, mass, peak = self.pointer.distribution(state, events, memory, field)
            sources.append(said)
            spread = mass.unsqueeze(2).expand_as(gate)
            shares.append(self._pointer_share(state, Pointed(gate, spread, peak)))
        share = torch.stack(shares).softmax(dim=0)[..., field, None]
        return ((share * torch.stack(sources)).sum(dim=0) + FAINT**2).log()

    def _suffix(self, state: Tensor, events: Tensor, outcome: Outcome) -> tuple[Tensor, Tensor]:
        """Return what the suffix memory gave to the true fields (log p), and its gate's logits."""
        match = outcome.match.long().clamp(max=self.shape.match_classes - 1)
        gate = (self.copy_gate(state) + self.copy_match(match)).float()
        hit = outcome.predicted.long() == events
        # The guess is heard until its first wrong field.
        heard = torch.cat([(match > 0).unsqueeze(2), hit[..., :-1]], dim=2).long().cumprod(dim=2)
        return torch.where(hit, 0.0, _NEVER), gate.masked_fill(heard == 0, _NEVER)

    def _pointer_share(self, state: Tensor, pointed: Pointed) -> Tensor:
        """Return the logits of the pointer's gate: surer where weight agrees and is focused."""
        gate = self.pointer_gate(state).float() + self.pointer_mass * pointed.log_mass
        gate = gate + self.pointer_peak * pointed.log_peak.unsqueeze(2)
        return gate.masked_fill(pointed.log_mass < LEAST_LOG_MASS, _NEVER)
