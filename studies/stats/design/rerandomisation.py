"""The randomisation test: how often the allocation alone would have done this.

The scores stay as they are; the arms are drawn again and again by the scheme that the study really
used (permuted blocks within strata), and the statistic of the real allocation is placed among those
of the drawn ones. Nothing is assumed about the distribution of scores.

The statistic is the F of the arms in covariance analysis, adjusted for baseline and strata.

References
----------
Rosenberger WF, Lachin JM (2015). Randomization in Clinical Trials, 2nd edition, chapter 6.
Phipson B, Smyth GK (2010). Statistical Applications in Genetics and Molecular Biology 9, 39 (the
observed allocation counts as one of the draws, so that p is never 0).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from studies.stats.errors import NotEstimable, StatisticsError

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

DRAWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RandomisationTest:
    """A statistic among those of drawn allocations."""

    f: float
    p: float
    n_draws: int
    n: int


def draw_allocations(
    strata: Sequence[str], ratios: Mapping[str, int], sizes: Sequence[int], n_draws: int, *,
    seed: int = 1,
) -> Iterator[Codes]:  # fmt: skip
    """Yield allocations by permuted blocks within strata, some draws at a time, shape (draws, n).

    Participants of a stratum take its slots in their order; each block's size is drawn among the
    sizes, and its arms are shuffled.

    Parameters
    ----------
    strata : sequence of str, length n
        In the order of randomisation.
    ratios : mapping
        Arm -> how often it comes in the smallest block.
    sizes : sequence of int
        Multiples of the sum of the ratios.
    n_draws : int
    seed : int
    """
    unit = np.repeat(np.arange(len(ratios)), list(ratios.values()))
    if not sizes or any(size % len(unit) for size in sizes):
        raise StatisticsError(
            f"expected block sizes that are multiples of {len(unit)}, got {list(sizes)}."
        )
    rng = np.random.default_rng(seed)
    labels = np.asarray(strata)
    members = [np.flatnonzero(labels == label) for label in sorted(set(labels.tolist()))]
    repeats = np.array(sizes) // len(unit)
    for start in range(0, n_draws, DRAWS_AT_ONCE):
        n_now = min(DRAWS_AT_ONCE, n_draws - start)
        arms = np.empty((n_now, len(labels)), dtype=np.intp)
        for rows in members:
            arms[:, rows] = _stratum(rng, unit, repeats, n_now, len(rows))
        yield arms


def randomisation_test(
    outcomes: Array, covariates: Array, arms: Codes, draws: Iterator[Codes]
) -> RandomisationTest:
    """Return where the real allocation's F lies among those of the drawn ones.

    Parameters
    ----------
    outcomes : ndarray, shape (n,)
        NaN marks a missing one, which stays missing in every draw.
    covariates : ndarray, shape (n, q)
        With the column of ones.
    arms : ndarray of int, shape (n,)
    draws : iterator of ndarray, shape (draws, n)

    Raises
    ------
    NotEstimable
        An outcome is constant, or there are too few of them.
    """
    used = ~np.isnan(outcomes) & ~np.isnan(covariates).any(axis=1)
    n_arms = int(arms.max()) + 1
    if used.sum() <= covariates.shape[1] + n_arms:
        raise NotEstimable(f"expected more participants than effects, got {used.sum()}.")
    basis, triangle = np.linalg.qr(covariates[used])
    diagonal = np.abs(np.diag(triangle))
    basis = basis[:, diagonal > 1e-9 * diagonal.max()]
    y = outcomes[used] - basis @ (basis.T @ outcomes[used])
    total = float(y @ y)
    if total <= 1e-20 * max(1.0, float(outcomes[used] @ outcomes[used])):
        raise NotEstimable("expected outcomes that vary, got constant ones.")
    observed = _explained(arms[None, used], basis, y, n_arms)[0]
    n_as_large, n_draws = 0, 0
    for drawn in draws:
        found = _explained(drawn[:, used], basis, y, n_arms)
        n_as_large += int((found >= observed * (1 - 1e-12)).sum())
        n_draws += len(found)
    df = int(used.sum()) - basis.shape[1] - (n_arms - 1)
    f = observed / (n_arms - 1) / ((total - observed) / df)
    return RandomisationTest(f, (n_as_large + 1) / (n_draws + 1), n_draws, int(used.sum()))


def _stratum(rng: np.random.Generator, unit: Codes, repeats: Codes, n_draws: int, n: int) -> Codes:
    """Return the slots of one stratum, shape (n_draws, n)."""
    n_blocks = -(-n // (len(unit) * int(repeats.min())))
    longest = len(unit) * int(repeats.max())
    kinds = repeats[rng.integers(0, len(repeats), (n_draws, n_blocks))]
    place = np.arange(longest)
    arms = np.tile(unit, int(repeats.max()))
    keys = rng.random((n_draws, n_blocks, longest))
    # Slots beyond a block's own size sort behind it and are then cut out.
    is_own = place < len(unit) * kinds[..., None]
    order = np.argsort(np.where(is_own, keys, 2.0), axis=2)
    shuffled = arms[order].reshape(n_draws, -1)
    # A stable sort brings the slots that exist to the front, in their order.
    front = np.argsort(~is_own.reshape(n_draws, -1), axis=1, kind="stable")[:, :n]
    return np.take_along_axis(shuffled, front, axis=1)


def _explained(arms: Codes, basis: Array, y: Array, n_arms: int) -> Array:
    """Return the sum of squares that the arms explain beyond the covariates, for each draw.

    With z the arms' columns, r = z'y and C = z'z - z'Q Q'z it is r' C^-1 r, all from small
    products.
    """
    n_draws = len(arms)
    r = np.empty((n_draws, n_arms - 1))
    c = np.empty((n_draws, n_arms - 1, n_arms - 1))
    columns = [(arms == arm).astype(float) for arm in range(1, n_arms)]
    along = [column @ basis for column in columns]
    for i, column in enumerate(columns):
        r[:, i] = column @ y
        for j in range(n_arms - 1):
            crossed = column.sum(axis=1) if i == j else 0.0
            c[:, i, j] = crossed - (along[i] * along[j]).sum(axis=1)
    try:
        solved = np.linalg.solve(c, r[..., None])
    except LinAlgError:
        # In some draw an arm has nobody with an outcome: it explains nothing there.
        solved = np.linalg.pinv(c, hermitian=True) @ r[..., None]
    return (r * solved[..., 0]).sum(axis=1)
