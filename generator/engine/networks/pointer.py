"""The pointer of the copy head: attention from the moment to every moment of the piece's own past.

A moment is remembered as a key, made of the state *before* an event, and the event that then came.
Where the present state resembles an old one, the event that followed it is likely to follow again
(an induction head). With weights a_i over the last W events, a field is foretold as

    p(x | fields so far) = sum_i a_i [i agrees with the fields so far and says x]
                           / sum_i a_i [i agrees with the fields so far]

Unlike the suffix memory (`tokens.copying`) the pointer needs no exact match, looks at absolute
pitch, and is learnt. Fields agree by `PREFIXES`: duration and velocity do not wait for the pitch to
agree, so that a figure is recognised over other chords.

Axes
----
B batch, T event, W remembered events, C = W + T, S key size
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from generator.engine.networks.remembering import FAINT, N_DISTANCES, PREFIXES
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import SIZES


class PointerMemory(NamedTuple):
    """The keys and events of the last W moments, newest last, and how many of them are real."""

    keys: Tensor  # (B, W, S)
    events: Tensor  # (B, W, 5)
    n_valid: Tensor  # (B,)


def no_moments(batch: int, memory: int, size: int, device: torch.device) -> PointerMemory:
    """Return the memory of pieces that have not begun."""
    return PointerMemory(
        torch.zeros(batch, memory, size, device=device),
        torch.zeros(batch, memory, len(SIZES), dtype=torch.long, device=device),
        torch.zeros(batch, dtype=torch.long, device=device),
    )


class Pointed(NamedTuple):
    """What the pointer says of the events that came."""

    log_p: Tensor  # (B, T, F) log probability of each true field, given the ones before it
    log_mass: Tensor  # (B, T, F) log of the weight that agreed with the fields before it
    log_peak: Tensor  # (B, T) log of the largest weight


class Pointer(nn.Module):
    """One head of attention over the piece's own past, its values the events themselves."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.size, self.memory = shape.pointer_size, shape.pointer_memory
        self.query = nn.Linear(shape.hidden, shape.pointer_size)
        self.key = nn.Linear(shape.hidden, shape.pointer_size)
        self.distance_bias = nn.Parameter(torch.zeros(N_DISTANCES))

    def forward(
        self, state: Tensor, events: Tensor, memory: PointerMemory
    ) -> tuple[Pointed, PointerMemory]:
        """Return what the pointer said of `events`, and the memory after them.

        Parameters
        ----------
        state : Tensor, shape (B, T, D)
            The state before each event.
        events : Tensor, shape (B, T, 5)
        memory : PointerMemory
        """
        steps = state.shape[1]
        keys = torch.cat([memory.keys.to(state.dtype), self.key(state)], dim=1)
        known = torch.cat([memory.events, events], dim=1)
        weight = self._weights(self.query(state), keys, memory.n_valid)
        pointed = self._pointed(weight, events, known)
        after = PointerMemory(
            keys[:, -self.memory :],
            known[:, -self.memory :],
            (memory.n_valid + steps).clamp(max=self.memory),
        )
        return pointed, after

    def distribution(
        self, state: Tensor, events: Tensor, memory: PointerMemory, field: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return p of each value of a field (B, T, size), log mass, and log peak (B, T).

        Parameters as for `forward`; of `events` only the fields before `field` are looked at.
        """
        keys = torch.cat([memory.keys.to(state.dtype), self.key(state)], dim=1)
        known = torch.cat([memory.events, events], dim=1)
        weight = self._weights(self.query(state), keys, memory.n_valid)
        here, there = _codes(events, PREFIXES[field]), _codes(known, PREFIXES[field])
        agreeing = torch.where(here.unsqueeze(2) == there.unsqueeze(1), weight, 0.0)
        values = known[..., field].unsqueeze(1).expand_as(agreeing)
        said = agreeing.new_zeros(*agreeing.shape[:2], SIZES[field])
        said = said.scatter_add(2, values, agreeing)
        mass = agreeing.sum(dim=2)
        peak = (weight.amax(dim=2) + FAINT).log()
        return said / (mass + FAINT).unsqueeze(2), (mass + FAINT).log(), peak

    def _weights(self, query: Tensor, keys: Tensor, n_valid: Tensor) -> Tensor:
        """Return the weights (B, T, C); zero where nothing can be pointed at."""
        steps, count = query.shape[1], keys.shape[1]
        score = torch.einsum("bts,bcs->btc", query, keys).float() / math.sqrt(self.size)
        place = torch.arange(count, device=query.device)
        now = self.memory + torch.arange(steps, device=query.device)
        distance = now.unsqueeze(1) - place  # (T, C); 1 is the event before
        bucket = distance.clamp(min=1).float().log2().long().clamp(max=N_DISTANCES - 1)
        score = score + self.distance_bias[bucket]
        reach = (distance >= 1) & (distance <= self.memory)
        real = place >= (self.memory - n_valid).unsqueeze(1)  # (B, C)
        visible = reach.unsqueeze(0) & real.unsqueeze(1)
        weight = torch.softmax(score.masked_fill(~visible, -1e9), dim=2)
        return weight * visible.any(dim=2, keepdim=True)

    def _pointed(self, weight: Tensor, events: Tensor, known: Tensor) -> Pointed:
        mass: dict[tuple[int, ...], Tensor] = {(): weight.sum(dim=2)}
        columns, masses = [], []
        for field, prefix in enumerate(PREFIXES):
            agreeing = (*prefix, field)
            here, there = _codes(events, agreeing), _codes(known, agreeing)
            same = here.unsqueeze(2) == there.unsqueeze(1)
            mass[agreeing] = torch.where(same, weight, 0.0).sum(dim=2)
            before = (mass[prefix] + FAINT).log()
            columns.append((mass[agreeing] + FAINT * FAINT).log() - before)
            masses.append(before)
        peak = (weight.amax(dim=2) + FAINT).log()
        return Pointed(torch.stack(columns, dim=2), torch.stack(masses, dim=2), peak)


def _codes(events: Tensor, fields: tuple[int, ...]) -> Tensor:
    """Return one number for each event that says these fields (33 x 4 x 24 x 8 at most)."""
    code = torch.zeros_like(events[..., 0], dtype=torch.int16)
    for field in fields:
        code = code * SIZES[field] + events[..., field].short()
    return code
