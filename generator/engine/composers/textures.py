"""Textures: how an accompaniment moves within a bar, learnt from the bars of people, by style.

A texture says at which of the eight places of a bar the inner voice strikes which of its three
voices, and where the bass comes in a second time. An art song strikes chords, a guitar breaks
them, a lead sheet holds them: this is what a style is heard by when the melody is slow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from generator.engine.brief import Style
from generator.engine.errors import CheckpointError

N_PLACES, N_VOICES = 8, 3
# How far, in notes, a texture may lie from what the plan asks: the deviation of a bell.
_BREADTH = 1.5
_NO_SECOND_BASS = 0
_ROWS, _COUNTS = "textures.rows", "textures.counts"


@dataclass(frozen=True)
class Texture:
    """One bar of movement.

    Attributes
    ----------
    strikes : tuple of (int, int)
        (place 0-7, voice 0-2 from the lowest), in order of place and voice.
    second_bass : int
        The place at which the bass comes in again; 0 where it does not. It always opens the bar.
    leaves_root : bool
        Whether the second bass note is another than the first.
    """

    strikes: tuple[tuple[int, int], ...]
    second_bass: int = _NO_SECOND_BASS
    leaves_root: bool = False

    @property
    def n_notes(self) -> int:
        """Notes a bar, bass included."""
        return len(self.strikes) + 1 + (self.second_bass != _NO_SECOND_BASS)

    def encoded(self) -> tuple[int, ...]:
        """Return the texture as a row of nine bytes: voices at each place as bits, then the bass.

        The last byte is the place of the second bass note, and 8 more where it leaves the root.
        """
        voices = [0] * N_PLACES
        for place, voice in self.strikes:
            voices[place] |= 1 << voice
        return (*voices, self.second_bass + N_PLACES * self.leaves_root)

    @staticmethod
    def decoded(row: np.ndarray) -> "Texture":
        """Return the texture of a row that `encoded` made."""
        strikes = [
            (place, voice)
            for place in range(N_PLACES)
            for voice in range(N_VOICES)
            if int(row[place]) >> voice & 1
        ]
        return Texture(
            tuple(strikes), int(row[N_PLACES]) % N_PLACES, bool(row[N_PLACES] >= N_PLACES)
        )


@dataclass(frozen=True)
class TextureTable:
    """How often each texture was met in each style.

    Attributes
    ----------
    rows : ndarray of uint8, shape (n, 9)
        As `Texture.encoded` makes them.
    counts : ndarray of float32, shape (style, n)
    """

    rows: np.ndarray
    counts: np.ndarray

    @staticmethod
    def of_arrays(arrays: Mapping[str, np.ndarray]) -> "TextureTable":
        """Return the table that a release holds.

        Raises
        ------
        CheckpointError
            It holds none: it is older than textures.
        """
        try:
            return TextureTable(arrays[_ROWS], arrays[_COUNTS])
        except KeyError as missing:
            raise CheckpointError(
                f"the array {missing} was expected in the foundation, got none. Build it again: "
                "manage.py train_composer markov --corpus DIR --out DIR."
            ) from missing

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the table as a release holds it."""
        return {_ROWS: self.rows, _COUNTS: self.counts}

    def draw(
        self, styles: Mapping[Style, float], n_notes: float, rng: np.random.Generator
    ) -> Texture:
        """Return a texture of about `n_notes` notes a bar, bass included.

        The style is drawn by its weight, then a texture of that style: a theme moves as one style
        does, and a blend of styles is heard as its themes follow each other.

        Parameters
        ----------
        styles : mapping of Style to float
            Weights that sum to 1.
        n_notes : float
        rng : numpy.random.Generator
        """
        names, weights = zip(*styles.items(), strict=True)
        p = np.array(weights, dtype=float)
        style = names[int(rng.choice(len(names), p=p / p.sum()))]
        size = self._sizes()
        # A little everywhere, so that a table without any texture of that size still answers.
        bell = np.exp(-0.5 * ((size - n_notes) / _BREADTH) ** 2) + 1e-9
        # As often as people play it, or styles grow alike.
        fitting = self.counts[list(Style).index(style)] * bell
        return Texture.decoded(self.rows[int(rng.choice(len(size), p=fitting / fitting.sum()))])

    def _sizes(self) -> np.ndarray:
        """Return the notes a bar of each texture, bass included, shape (n,)."""
        struck = np.unpackbits(self.rows[:, :N_PLACES], axis=1).sum(axis=1)
        return struck.astype(int) + 1 + (self.rows[:, N_PLACES] % N_PLACES != _NO_SECOND_BASS)
