"""A network a genre, kept as what the network of all genres must be changed by.

A genre's network begins with that of all genres and goes on learning from its genre alone. What it
learnt is stored as low-rank factors of each matrix's change (Hu et al. 2021 train such factors;
these are cut from a finished network by singular values), so that five networks take less space
than one more.

References
----------
Hu, E. et al. (2021). LoRA: low-rank adaptation of large language models. arXiv:2106.09685.
"""

from collections.abc import Mapping

import numpy as np

from generator.engine.brief import Style
from generator.engine.errors import CheckpointError
from generator.engine.networks.checkpoints import Checkpoint

GENRES = "fusion"
_LEFT, _RIGHT = ".left", ".right"
_ALWAYS_THERE = "start"


def changes(
    before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], rank: int
) -> dict[str, np.ndarray]:
    """Return what makes `after` of `before`, float16, matrices as two factors of a rank.

    Parameters
    ----------
    before, after : mapping of str to ndarray
        The same names and shapes.
    rank : int
        1 or more; a matrix of which two factors would be larger than itself is kept whole.
    """
    found: dict[str, np.ndarray] = {}
    for name, array in before.items():
        change = after[name].astype(np.float32) - array.astype(np.float32)
        flat = change.reshape(len(change), -1) if change.ndim > 1 else None
        if flat is None or rank * sum(flat.shape) >= flat.size:
            found[name] = change.astype(np.float16)
            continue
        left, sizes, right = np.linalg.svd(flat, full_matrices=False)
        root = np.sqrt(sizes[:rank])
        found[name + _LEFT] = (left[:, :rank] * root).astype(np.float16)
        found[name + _RIGHT] = (root[:, None] * right[:rank]).astype(np.float16)
    return found


def changed(
    before: Mapping[str, np.ndarray], change: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the arrays with their changes made, float32.

    Raises
    ------
    CheckpointError
        The changes belong to other arrays.
    """
    after = {}
    for name, array in before.items():
        try:
            if name + _LEFT in change:
                left, right = (change[name + end].astype(np.float32) for end in (_LEFT, _RIGHT))
                step = (left @ right).reshape(array.shape)
            else:
                step = change[name].astype(np.float32).reshape(array.shape)
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"a change of {name}, shape {array.shape}, was expected in the release of genres, "
                f"got {error}. Build it again: manage.py train_composer {GENRES}."
            ) from error
        after[name] = array.astype(np.float32) + step
    return after


def packed(by_style: Mapping[Style, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the changes of all genres as the arrays of one release."""
    return {
        f"{style}/{name}": array for style, own in by_style.items() for name, array in own.items()
    }


def genres_of(base: Checkpoint, genres: Checkpoint) -> tuple[Style, ...]:
    """Return the styles that a release of genres has a network of.

    Raises
    ------
    CheckpointError
        It was learnt from another network than `base`.
    """
    if genres.config.get("base") != base.release:
        raise CheckpointError(
            f"genres learnt from {base.release} were expected, got those of "
            f"{genres.config.get('base')}. Install both releases again, or build the genres: "
            f"manage.py train_composer {GENRES}."
        )
    return tuple(style for style in Style if f"{style}/{_ALWAYS_THERE}" in genres.arrays)


def genre_network(base: Checkpoint, genres: Checkpoint, style: Style) -> Checkpoint:
    """Return the network of one genre, of those that `genres_of` names.

    Parameters
    ----------
    base : Checkpoint
        The network of all genres.
    genres : Checkpoint
        As `packed` arrays were released.
    style : Style

    Raises
    ------
    CheckpointError
        An array is missing, or of another shape.
    """
    head = f"{style}/"
    own = {name[len(head) :]: a for name, a in genres.arrays.items() if name.startswith(head)}
    return Checkpoint(changed(base.arrays, own), base.config, f"{genres.release}/{style}")
