"""Drawing from a distribution: temperature and nucleus."""

import numpy as np


def draw(log_weights: np.ndarray, rng: np.random.Generator, top_p: float = 1.0) -> int:
    """Return an index drawn by unnormalised log-weights; minus infinity is never drawn.

    Parameters
    ----------
    log_weights : ndarray, shape (n,)
        At least one finite.
    rng : numpy.random.Generator
    top_p : float
        Keep only the likeliest indices that together reach this probability.
    """
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    if top_p < 1.0:
        order = np.argsort(-weights, kind="stable")
        beyond = np.cumsum(weights[order]) - weights[order] >= top_p
        weights[order[beyond]] = 0.0
        weights /= weights.sum()
    return int(min(np.searchsorted(np.cumsum(weights), rng.random()), np.flatnonzero(weights)[-1]))
