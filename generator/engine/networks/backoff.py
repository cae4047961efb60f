"""Variable-order Markov tables with interpolated back-off, as arrays that a release can hold.

One table foretells one symbol from contexts of growing order. The distribution of order k leans on
that of order k-1 as far as its context is new (absolute discounting, Ney et al. 1994):

    p_k(x | c) = max(n(c, x) - d, 0) / n(c) + d t(c) / n(c) p_{k-1}(x)

with n(c) the times context c was seen, t(c) the different symbols seen after it, d = 0.75. Contexts
are kept as 32-bit hashes; with half a million contexts a new one is mistaken for a known one about
once in ten thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)
_DISCOUNT = 0.75


def absorbed(state: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return 64-bit hash states after one more column of values, shape (n,)."""
    state = (state ^ column.astype(np.int64).astype(np.uint64)) * _MULTIPLIER
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


def count_order(keys: np.ndarray, symbols: np.ndarray, minimum: int = 1) -> OrderTable:
    """Return the table of all (key, symbol) pairs whose context was seen `minimum` times."""
    packed = keys.astype(np.uint64) << np.uint64(16) | symbols.astype(np.uint64)
    pairs, counts = np.unique(packed, return_counts=True)
    contexts = (pairs >> np.uint64(16)).astype(np.uint32)
    unique, first, inverse = np.unique(contexts, return_index=True, return_inverse=True)
    totals = np.bincount(inverse, weights=counts)
    kept = totals[inverse] >= minimum
    pairs, counts, contexts = pairs[kept], counts[kept], contexts[kept]
    unique, first = np.unique(contexts, return_index=True)
    return OrderTable(
        unique,
        np.append(first, len(contexts)).astype(np.uint32),
        (pairs & np.uint64(0xFFFF)).astype(np.uint16),
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
        for table, context in zip(self.orders, contexts, strict=False):
            rows, known = table.find(context_hash(context[None, :]))
            if not known[0]:
                # A longer context cannot be known where a shorter one is new, hashes aside.
                break
            span = slice(int(table.starts[rows[0]]), int(table.starts[rows[0] + 1]))
            counts = table.counts[span].astype(float)
            total, types = counts.sum(), len(counts)
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
        for table, key in zip(self.orders, keys, strict=False):
            rows, known = table.find(key)
            starts = table.starts.astype(np.int64)
            counts = np.append(table.counts, 0).astype(np.int64)
            n = np.add.reduceat(counts, starts[:-1])[rows]
            t = np.diff(starts)[rows]
            hit = np.maximum(_counts_of(table, rows, symbols) - _DISCOUNT, 0.0)
            p = np.where(known, (hit + _DISCOUNT * t * p) / n, p)
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
