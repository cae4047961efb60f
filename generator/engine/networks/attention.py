"""Multi-scale attention over the notes, beats and bars heard so far (Li 2025, equations 9-15).

Axes
----
B batch, T event, D hidden, M remembered segments, K scale (note, beat, bar), N head, S head size

A *segment* is one event, or all events that start in one beat or in one bar. A beat or bar can be
attended to as soon as a later event has opened the next one, never while it is still growing: what
an event sees depends on the past alone, so the incremental sampler sees the same. The start of a
piece is a segment of its own.

Deviations from the source
--------------------------
1. Equation 9 forgets the factor V; it is there.
2. Six heads do not divide 256: each scale has two heads of 48 with their own projections.
3. Extractor_k (equation 12) is the mean over the segment; the paper's convolution over image-like
   feature maps has no causal form.
4. S_{t-1} in equation 11 is the hidden state before, h_{t-1}, so that training stays parallel.
5. A learned null key lets a head look at nothing, and a learned bias tells it how far back a
   segment lies; the paper has neither.
6. Equation 10 sums over the network's layers, with weights of their own for two kinds of
   information, A and B. Here it sums over the three scales of equation 12, one weight each, made
   to add up to 1, and every scale's context has a projection of its own into the sum.
7. Equations 13 to 15 look back on every state since the piece began; here each scale looks back
   on its last `NetworkShape.memory` segments, so that an event costs the same however long the
   night. What lies further back is the copy head's.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from generator.engine.networks.shape import HEADS_PER_SCALE, SCALE_NAMES, NetworkShape


class ScaleMemory(NamedTuple):
    """The last M completed segments of one scale, how many are real, and the one still open."""

    states: Tensor  # (B, M, D)
    n_valid: Tensor  # (B,)
    open_sum: Tensor  # (B, D)
    open_count: Tensor  # (B,)


class ScaleAttention(nn.Module):
    """Two heads of attention over the segments of one scale."""

    def __init__(self, shape: NetworkShape, *, per_event: bool) -> None:
        super().__init__()
        inner = HEADS_PER_SCALE * shape.head_size
        self.per_event = per_event
        self.memory = shape.memory
        self.head_size = shape.head_size
        self.query = nn.Linear(shape.hidden, inner)
        self.key = nn.Linear(shape.hidden, inner)
        self.value = nn.Linear(shape.hidden, inner)
        self.null_key = nn.Parameter(torch.zeros(HEADS_PER_SCALE, shape.head_size))
        self.null_value = nn.Parameter(torch.zeros(HEADS_PER_SCALE, shape.head_size))
        self.distance_bias = nn.Parameter(torch.zeros(HEADS_PER_SCALE, shape.memory))

    def initial(self, batch: int, hidden: int) -> ScaleMemory:
        """Return the memory of a piece that has not begun."""
        device = self.null_key.device
        return ScaleMemory(
            torch.zeros(batch, self.memory, hidden, device=device),
            torch.zeros(batch, dtype=torch.long, device=device),
            torch.zeros(batch, hidden, device=device),
            torch.zeros(batch, device=device),
        )

    def forward(
        self, states: Tensor, opens: Tensor, memory: ScaleMemory
    ) -> tuple[Tensor, ScaleMemory]:
        """Return the attended context (B, T, 2S) and the memory after the last event.

        Parameters
        ----------
        states : Tensor, shape (B, T, D)
            h^(L), the output of the last layer.
        opens : Tensor, bool, shape (B, T)
            Whether the event opens a new segment (unused at the note scale: each event is one).
        memory : ScaleMemory
        """
        if self.per_event:
            segments, newest, memory = self._segments_of_events(states, memory)
        else:
            segments, newest, memory = self._segments_of_groups(states, opens, memory)
        known, n_before = segments
        batch, count, _ = known.shape
        steps = states.shape[1]
        query = self.query(states).view(batch, steps, HEADS_PER_SCALE, self.head_size)
        key = self.key(known).view(batch, count, HEADS_PER_SCALE, self.head_size)
        value = self.value(known).view(batch, count, HEADS_PER_SCALE, self.head_size)

        # eq. 13: score(h_t, h_i) = q k / sqrt(d), plus the bias of the distance
        score = torch.einsum("btns,bcns->bntc", query, key) / math.sqrt(self.head_size)
        place = torch.arange(count, device=states.device)
        distance = newest.unsqueeze(2) - place  # (B, T, C)
        visible = (distance >= 0) & (distance < self.memory)
        visible &= (place >= (self.memory - n_before).unsqueeze(1)).unsqueeze(1)
        bias = self.distance_bias[:, distance.clamp(0, self.memory - 1)]  # (N, B, T, C)
        score = score.float() + bias.transpose(0, 1)
        score = score.masked_fill(~visible.unsqueeze(1), -1e9)
        null = torch.einsum("btns,ns->bnt", query.float(), self.null_key)
        score = torch.cat([score, null.unsqueeze(3) / math.sqrt(self.head_size)], dim=3)

        weight = torch.softmax(score, dim=3)  # eq. 14
        context = torch.einsum("bntc,bcns->btns", weight[..., :-1], value.float())  # eq. 15
        context = context + weight[..., -1:].permute(0, 2, 1, 3) * self.null_value
        return context.flatten(2), memory

    def _segments_of_events(self, states: Tensor, memory: ScaleMemory) -> tuple:
        batch, steps, _ = states.shape
        known = torch.cat([memory.states, states], dim=1)  # (B, M + T, D)
        newest = self.memory + torch.arange(steps, device=states.device).expand(batch, steps)
        after = memory._replace(
            states=known[:, -self.memory :],
            n_valid=(memory.n_valid + steps).clamp(max=self.memory),
        )
        return (known, memory.n_valid), newest, after

    def _segments_of_groups(self, states: Tensor, opens: Tensor, memory: ScaleMemory) -> tuple:
        """Return pooled segments (eq. 12): the mean of the states of each beat or bar."""
        batch, steps, hidden = states.shape
        index = opens.long().cumsum(dim=1)  # (B, T); 0 continues the segment left open before
        total = states.new_zeros(batch, steps + 1, hidden)
        total = total.scatter_add(1, index.unsqueeze(2).expand(-1, -1, hidden), states)
        count = memory.open_count.new_zeros(batch, steps + 1)
        count = count.scatter_add(1, index, count.new_ones(batch, steps))
        first = count.new_zeros(steps + 1)
        first[0] = 1.0
        total = total + first.view(1, -1, 1) * memory.open_sum.unsqueeze(1)
        count = count + first * memory.open_count.unsqueeze(1)
        mean = total / count.clamp(min=1.0).unsqueeze(2)
        known = torch.cat([memory.states, mean], dim=1)  # (B, M + T + 1, D)
        last = index[:, -1]
        rows = last.unsqueeze(1) + torch.arange(self.memory, device=states.device)
        kept = known.gather(1, rows.unsqueeze(2).expand(-1, -1, hidden))
        pick = last.view(-1, 1, 1).expand(-1, 1, hidden)
        after = ScaleMemory(
            kept,
            (memory.n_valid + last).clamp(max=self.memory),
            total.gather(1, pick).squeeze(1),
            count.gather(1, last.unsqueeze(1)).squeeze(1),
        )
        return (known, memory.n_valid), self.memory + index - 1, after


class MultiScaleAttention(nn.Module):
    """Attention over the three scales, fused by weights that depend on the moment (eqs 10, 11)."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        inner = HEADS_PER_SCALE * shape.head_size
        self.scales = nn.ModuleList(
            ScaleAttention(shape, per_event=name == "note") for name in SCALE_NAMES
        )
        self.now = nn.Linear(shape.hidden, shape.bottleneck)
        self.before = nn.Linear(shape.hidden, shape.bottleneck, bias=False)
        self.importance = nn.Linear(shape.bottleneck, len(SCALE_NAMES), bias=False)
        self.out = nn.Linear(len(SCALE_NAMES) * inner, shape.hidden)

    def forward(
        self, states: Tensor, opens: Tensor, memories: tuple[ScaleMemory, ...], previous: Tensor
    ) -> tuple[Tensor, Tensor, tuple[ScaleMemory, ...]]:
        """Return the context c (B, T, D), the scale weights gamma (B, T, K), and the memories.

        Parameters
        ----------
        states : Tensor, shape (B, T, D)
        opens : Tensor, bool, shape (B, T, K)
        memories : tuple of ScaleMemory
        previous : Tensor, shape (B, D)
            h of the event before the first of `states`.
        """
        before = torch.cat([previous.unsqueeze(1), states[:, :-1]], dim=1)
        # eq. 11: I_e = W^T tanh(alpha h_t + beta S_{t-1} + b)
        importance = self.importance(torch.tanh(self.now(states) + self.before(before)))
        gamma = torch.softmax(importance.float(), dim=2)  # (B, T, K)
        contexts, after = [], []
        for index, scale in enumerate(self.scales):
            context, memory = scale(states, opens[..., index], memories[index])
            contexts.append(gamma[..., index : index + 1] * context)  # eq. 10
            after.append(memory)
        return self.out(torch.cat(contexts, dim=2)), gamma, tuple(after)
