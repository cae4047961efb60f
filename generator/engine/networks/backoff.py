"""Variable-order Markov tables with interpolated back-off, as arrays that a release can hold.

One table foretells one symbol from contexts of growing order. The distribution of order k leans on
that of order k-1 as far as its context is new (absolute discounting, Ney et al. 1994):

    p_k(x | c) = max(n(c, x) - d, 0) / n(c) + d t(c) / n(c) p_{k-1}(x)

with n(c) the pieces in which context c was seen, t(c) the different symbols seen after it, d =
0.75. A longer context that was seen just as often as the shorter one tells the same story again and
is passed over; otherwise one rare passage would be counted once an order. Contexts are kept as
32-bit hashes; with half a million of them a new one is mistaken for a known one about once in ten
thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)
_DISCOUNT = 0.75
_WORD = (1 << 64) - 1


def absorbed(state: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return 64-bit hash states after one more column of values, shape (n,)."""
    # The added constant keeps a state of zero from swallowing values of zero.
    state = (state + column.astype(np.int64).astype(np.uint64) + _MIXER) * _MULTIPLIER
    state ^= state >> np.uint64(29)
    return state * _MIXER


def absorbed_value(state: np.ndarray, value: int) -> np.ndarray:
    """Return hash states after one more value that all rows share, shape (n,)."""
    state = (state + np.uint64((value + int(_MIXER)) & _WORD)) * _MULTIPLIER
    state ^= state >> np.uint64(29)
    return state * _MIXER


def blank_state(n: int) -> np.ndarray:
    """Return the hash state of n contexts that know nothing yet."""
    return np.ones(n, dtype=np.uint64)


def short_hash(state: np.ndarray) -> np.ndarray:
    """Return the 32 bits of a hash state that tables keep."""
    return (state >> np.uint64(32)).astype(np.uint32)


def context_hash(columns: np.ndarray) -> np.ndarray:
    """Return a 32-bit hash of each row, uint32, shape (n,); it depends on order and number.

    Parameters
    ----------
    columns : ndarray of int, shape (n, k)
    """
    state = blank_state(len(columns))
    for index in range(columns.shape[1]):
        state = absorbed(state, columns[:, index])
    return short_hash(state)


@dataclass(frozen=True)
class OrderTable:
    """The counts of one order: `keys` sorted; context i owns [starts[i], starts[i + 1])."""

    keys: np.ndarray  # uint32 (n,)
    starts: np.ndarray  # uint32 (n + 1,)
    symbols: np.ndarray  # uint8 or uint16
    counts: np.ndarray  # uint16

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the row of each key and whether it is known."""
        rows = np.searchsorted(self.keys, keys)
        rows = np.minimum(rows, max(len(self.keys) - 1, 0))
        return rows, self.keys[rows] == keys if len(self.keys) else np.zeros(len(keys), bool)


def count_order(
    keys: np.ndarray, symbols: np.ndarray, pieces: np.ndarray, minimum: int = 1
) -> OrderTable:
    """Return in how many pieces each symbol followed each context.

    A piece counts once however often it repeats itself: a bar that comes ten times in one piece
    says nothing about other pieces.

    Parameters
    ----------
    keys : ndarray, uint32, shape (n,)
    symbols : ndarray, shape (n,)
        Below 256.
    pieces : ndarray, shape (n,)
        Number of the piece, below 65536.
    minimum : int
        Contexts with a smaller total are left out.
    """
    packed = (
        keys.astype(np.uint64) << np.uint64(32)
        | symbols.astype(np.uint64) << np.uint64(16)
        | pieces.astype(np.uint64)
    )
    pairs, counts = np.unique(np.unique(packed) >> np.uint64(16), return_counts=True)
    contexts = (pairs >> np.uint64(16)).astype(np.uint32)
    _, inverse = np.unique(contexts, return_inverse=True)
    kept = np.bincount(inverse, weights=counts)[inverse] >= minimum
    pairs, counts, contexts = pairs[kept], counts[kept], contexts[kept]
    unique, first = np.unique(contexts, return_index=True)
    return OrderTable(
        unique,
        np.append(first, len(contexts)).astype(np.uint32),
        (pairs & np.uint64(0xFFFF)).astype(np.uint8),
        np.minimum(counts, 65535).astype(np.uint16),
    )


@dataclass(frozen=True)
class BackoffTable:
    """Tables of order 0, 1, ... for one symbol out of `size`."""

    size: int
    orders: tuple[OrderTable, ...]

    def distribution(self, contexts: Sequence[np.ndarray]) -> np.ndarray:
        """Return p(symbol), shape (size,), for one moment.

        Parameters
        ----------
        contexts : sequence of ndarray
            The context of order 0, 1, ..., as far back as there is a past.
        """
        p = np.full(self.size, 1.0 / self.size)
        evidence = np.inf
        for table, context in zip(self.orders, contexts, strict=False):
            rows, known = table.find(context_hash(context[None, :]))
            if not known[0]:
                # A longer context cannot be known where a shorter one is new, hashes aside.
                break
            span = slice(int(table.starts[rows[0]]), int(table.starts[rows[0] + 1]))
            counts = table.counts[span].astype(float)
            total, types = counts.sum(), len(counts)
            if total >= evidence:
                continue
            evidence = total
            p = p * (_DISCOUNT * types / total)
            p[table.symbols[span]] += (counts - _DISCOUNT) / total
        return p

    def probabilities(self, keys: Sequence[np.ndarray], symbols: np.ndarray) -> np.ndarray:
        """Return p(symbol) of many moments at once, shape (n,).

        Parameters
        ----------
        keys : sequence of ndarray, each uint32, shape (n,)
            The hashed context of order 0, 1, ...
        symbols : ndarray, shape (n,)
        """
        p = np.full(len(symbols), 1.0 / self.size)
        evidence = np.full(len(symbols), np.inf)
        for table, key in zip(self.orders, keys, strict=False):
            rows, known = table.find(key)
            starts = table.starts.astype(np.int64)
            counts = np.append(table.counts, 0).astype(np.int64)
            n = np.add.reduceat(counts, starts[:-1])[rows]
            t = np.diff(starts)[rows]
            hit = np.maximum(_counts_of(table, rows, symbols) - _DISCOUNT, 0.0)
            tells = known & (n < evidence)
            p = np.where(tells, (hit + _DISCOUNT * t * p) / n, p)
            evidence = np.where(tells, n, evidence)
        return p

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Return the arrays of all orders, named for a release."""
        found = {}
        for order, table in enumerate(self.orders):
            for part in ("keys", "starts", "symbols", "counts"):
                found[f"{name}.{order}.{part}"] = getattr(table, part)
        return found

    @classmethod
    def from_arrays(cls, name: str, size: int, arrays: Mapping[str, np.ndarray]) -> "BackoffTable":
        """Return the table that `arrays` described."""
        orders = []
        while f"{name}.{len(orders)}.keys" in arrays:
            parts = (arrays[f"{name}.{len(orders)}.{p}"] for p in ("keys", "starts", "symbols"))
            orders.append(OrderTable(*parts, arrays[f"{name}.{len(orders)}.counts"]))
        return cls(size, tuple(orders))


def _counts_of(table: OrderTable, rows: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Return n(c, x) for rows of a table; symbols are sorted inside each context."""
    owners = np.repeat(np.arange(len(table.keys)), np.diff(table.starts.astype(np.int64)))
    packed = owners.astype(np.int64) << 16 | table.symbols
    wanted = rows.astype(np.int64) << 16 | symbols
    at = np.minimum(np.searchsorted(packed, wanted), len(packed) - 1)
    return np.where(packed[at] == wanted, table.counts[at], 0).astype(float)
