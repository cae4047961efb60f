"""LSTM-ACM composing: the network hears every note of the texture and finds the melody and basses.

The accompaniment's rhythm comes from the plan; at each bar the network's bass distribution weighs
the chord chain, and between the accompaniment's notes the network decides when the melody speaks
and where it goes. The suffix memory of the copy head looks back on the melody alone, its pointer on
all that was heard.

Several styles at once are fused in one of three ways (`ensemble.Fusion`): their embeddings blended,
their distributions mixed, or motifs of single styles, drawn by weight, that the blend goes on from.
The composer `fusion` has a network a genre for that (Lee 2023).

Deviations from Lee
-------------------
1. A genre's network does not begin from chance but from the network of all genres, which holds what
   they share: folk has 58 files to learn from, jazz 71.
2. The fusing LSTM is the network of all genres, asked for the blend. It hears the motifs as all
   that was composed, and its pointer looks back on them; they are no input of their own.
3. What is drawn by weight is the style of each new theme's first phrase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.accompaniment import PartNote
from generator.engine.composers.composer import Progress
from generator.engine.composers.engines import Engine
from generator.engine.composers.ensemble import Ensemble, Fusion, NewListener, Players
from generator.engine.composers.form import BAR
from generator.engine.composers.foundation import Foundation, load_foundation
from generator.engine.composers.guards import MelodyGuard, MelodyNote
from generator.engine.composers.harmony import N_DEGREES, Chord
from generator.engine.composers.pacing import Pace
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.sampling import draw
from generator.engine.composers.theme import first_onset, last_onset, restated
from generator.engine.composers.weaving import Music, Stage, compose_long_form
from generator.engine.networks.batched import FastListener, fast_network
from generator.engine.networks.blending import Chain
from generator.engine.networks.checkpoints import Checkpoint, load_checkpoint
from generator.engine.networks.genres import GENRES, genre_network, genres_of
from generator.engine.networks.incremental import Listener, Network
from generator.engine.score.notes import Role, Score
from generator.engine.score.scales import SCALES
from generator.engine.tokens.conditions import asked_calmness, condition_vector
from generator.engine.tokens.copying import CopyMemory
from generator.engine.tokens.quantisation import duration_bins
from generator.engine.tokens.vocabulary import (
    METRES,
    PITCH_LOWEST,
    ROLES,
    SHIFT_MAX,
    phrase_ids,
    position_ids,
)

_GRID = 2
_METRE = METRES[0]
_MELODY, _BASS = ROLES.index(Role.MELODY), ROLES.index(Role.BASS)
_VELOCITY_BIN = 3
_NUCLEUS = 0.95
# How much the network's bass, and the shared taste of the guards, count beside the other voice.
_BASS_EVIDENCE = 0.7
_TASTE = 0.7
# Where composed pieces are as usual among people's as they get (grades at -4 to 1, model card): the
# plan brings themes back already, and a pointer that copies on top goes in circles.
_PITCH_NUCLEUS = 0.99
_FAMILIARITY = -2.0
_COPY_DISTANCE = 16
_LONGEST_COPY = 12
_NEVER = -1


@dataclass(frozen=True)
class Settings:
    """The dials: nucleus of sampling, familiarity (a logit added to the copy gates), fusion."""

    top_p: float = _PITCH_NUCLEUS
    familiarity: float = _FAMILIARITY
    fusion: Fusion = Fusion.EMBEDDING
    engine: Engine = Engine.NUMPY

    @property
    def familiar_share(self) -> float:
        """The familiarity as a share of foretold notes, which is what the network is asked for."""
        return float(1.0 / (1.0 + np.exp(-self.familiarity)))


class NetworkWriter:
    """Writes phrases with listeners that have heard the piece from its start.

    Parameters
    ----------
    brief : Brief
    guard : MelodyGuard
    players : Players
        The networks that play.
    settings : Settings
    """

    def __init__(
        self, brief: Brief, guard: MelodyGuard, players: Players, settings: Settings
    ) -> None:
        self._brief, self._guard, self._settings = brief, guard, settings
        self._ensemble = Ensemble(players, brief.styles, settings.fusion)
        self._listener = self._ensemble.listener
        self._copying = CopyMemory(_COPY_DISTANCE)
        self._copied_run = 0
        self._now = 0
        self._last_melody = _NEVER

    def write(self, stage: Stage) -> Music:
        """Return the music of one phrase."""
        phrase = stage.phrase
        conditions = partial(
            condition_vector,
            mode=self._brief.mode.value,
            tempo_bpm=phrase.bpm,
            calmness=asked_calmness(self._brief.calmness),
            density=phrase.all_notes / BAR * 4,
            register=(self._guard.low + self._guard.high) / 2,
            familiarity=self._settings.familiar_share,
        )
        begins = phrase.occurrence == 0 and phrase.part_of_theme == 0
        self._ensemble.enter(conditions, stage.rng, begins_theme=begins)
        music = Music([], [], [])
        pace = Pace(phrase)
        for bar in range(phrase.n_bars):
            prior = stage.chord_weights(bar, [chord.degree for chord in music.chords])
            chord = stage.draw_chord(prior * self._bass_evidence(stage.bar_start(bar)))
            notes = stage.play(bar, chord)
            music.chords.append(chord)
            music.accompaniment += notes
            music.melody += self._bar(stage, bar, chord, notes, pace)
        return music

    def _bass_evidence(self, start: int) -> np.ndarray:
        """Return how readily the network would put the root of each degree in the bass."""
        shift = start - self._now
        chain = self._chain(shift, _BASS)
        log_p = self._foretold(chain, (min(shift, SHIFT_MAX), _BASS))
        classes = np.zeros(12)
        np.add.at(classes, (np.arange(len(log_p)) + PITCH_LOWEST) % 12, np.exp(log_p))
        roots = classes[list(SCALES[self._brief.mode.value])]
        return (roots + 1e-3)[:N_DEGREES] ** _BASS_EVIDENCE

    def _bar(
        self, stage: Stage, bar: int, chord: Chord, notes: Sequence[PartNote], pace: Pace
    ) -> list[MelodyNote]:
        """Return the melody of one bar, heard together with its accompaniment."""
        waiting = [note for note in notes if note.role is not Role.PAD]
        start, end = stage.bar_start(bar), stage.bar_start(bar + 1)
        given = [note for note in stage.given if start <= note.onset < end]
        melody: list[MelodyNote] = []
        is_free = bar >= len(stage.given_degrees)
        while True:
            until = waiting[0].onset if waiting else end
            if is_free:
                onset = self._choose_onset(stage, until, waiting, pace)
            else:
                onset = given[0].onset if given and given[0].onset < until else None
            if onset is not None:
                wanted = given.pop(0) if given else None
                melody.append(self._sing(stage, onset, chord, wanted))
                pace.count += 1
            elif waiting:
                self._hear_note(waiting.pop(0))
            else:
                return melody

    def _choose_onset(
        self, stage: Stage, until: int, waiting: Sequence[PartNote], pace: Pace
    ) -> int | None:
        """Return where the melody speaks before place `until`; None where it lets others go on."""
        earliest = max(self._now, first_onset(stage))
        if self._last_melody != _NEVER:
            earliest = max(earliest, self._last_melody + _GRID)
        earliest += earliest % _GRID
        places = np.arange(earliest, min(until, last_onset(stage) + 1), _GRID)
        if not len(places):
            return None
        log_p = self._foretold(self._listener.state, ())
        speak = [log_p[p - self._now] + self._log_role(p - self._now, _MELODY) for p in places]
        rest = until - self._now
        if waiting:
            silence = log_p[rest] + self._log_role(rest, ROLES.index(waiting[0].role))
        else:
            silence = np.logaddexp.reduce(log_p[min(rest, SHIFT_MAX) :])
        weights = _log_softmax(np.array([*speak, silence]))
        weights = self._with_copied_onset(weights, places, until)
        weights[:-1] += pace.pull(places)
        choice = draw(weights, stage.rng)
        return int(places[choice]) if choice < len(places) else None

    def _with_copied_onset(self, weights: np.ndarray, places: np.ndarray, until: int) -> np.ndarray:
        guess, match = self._prediction()
        if guess is None:
            return weights
        share = self._listener.copy_share(match, self._settings.familiarity)[0]
        onset = self._last_melody + guess[0]
        copied = np.zeros(len(weights))
        if onset >= until:
            copied[-1] = 1.0
        elif onset in places:
            copied[int(np.flatnonzero(places == onset)[0])] = 1.0
        else:
            return weights
        return np.log((1 - share) * np.exp(weights) + share * copied + 1e-12)

    def _sing(
        self, stage: Stage, onset: int, chord: Chord, wanted: MelodyNote | None
    ) -> MelodyNote:
        chain = self._chain(onset - self._now, _MELODY)
        if wanted is None:
            pitch = self._choose_pitch(stage, onset, chord, chain)
        else:
            pitch = restated(stage, wanted, chord)
        chain = self._listener.chained(2, chain, pitch - PITCH_LOWEST)
        chosen = (min(onset - self._now, SHIFT_MAX), _MELODY, pitch - PITCH_LOWEST)
        duration = draw(self._foretold(chain, chosen), stage.rng, _NUCLEUS)
        self._guard.push(onset, pitch)
        ioi = onset - self._last_melody if self._last_melody != _NEVER else 0
        event = (min(ioi, SHIFT_MAX), _MELODY, pitch - PITCH_LOWEST, duration, _VELOCITY_BIN)
        guess, _ = self._copying.predict()
        is_copy = guess is not None and guess[0] == event[0] and guess[2] == event[2]
        self._copied_run = self._copied_run + 1 if is_copy else 0
        self._copying.append(event)
        self._last_melody = onset
        self._hear(onset, _MELODY, pitch - PITCH_LOWEST, duration)
        return MelodyNote(onset, 1, pitch)

    def _choose_pitch(self, stage: Stage, onset: int, chord: Chord, chain: Chain) -> int:
        allowed = self._guard.weights(onset, chord)
        own = self._foretold(chain, (min(onset - self._now, SHIFT_MAX), _MELODY))
        guess, match = self._prediction()
        if guess is not None and self._last_melody + guess[0] == onset:
            share = self._listener.copy_share(match, self._settings.familiarity)[2]
            copied = np.zeros(len(own))
            copied[guess[2]] = 1.0
            own = np.log((1 - share) * np.exp(own) + share * copied + 1e-12)
        weights = np.full(len(allowed), -np.inf)
        weights[PITCH_LOWEST : PITCH_LOWEST + len(own)] = own
        return draw(weights + _TASTE * allowed, stage.rng, self._settings.top_p)

    def _prediction(self) -> tuple[tuple[int, ...] | None, int]:
        if self._copied_run >= _LONGEST_COPY:
            return None, 0
        return self._copying.predict()

    def _hear_note(self, note: PartNote) -> None:
        duration = int(duration_bins(np.array(note.duration)))
        role = ROLES.index(note.role)
        self._hear(note.onset, role, note.pitch - PITCH_LOWEST, duration)

    def _hear(self, onset: int, role: int, pitch: int, duration: int) -> None:
        shift = min(onset - self._now, SHIFT_MAX)
        place = np.array([onset])
        self._listener.hear(
            (shift, role, pitch, duration, _VELOCITY_BIN),
            int(position_ids(place, _METRE)[0]),
            int(phrase_ids(place, _METRE)[0]),
            opens_beat=onset // _METRE.beat != self._now // _METRE.beat,
            opens_bar=onset // _METRE.steps != self._now // _METRE.steps,
        )
        self._now = onset

    def _log_role(self, shift: int, role: int) -> float:
        chain = self._landed(shift)
        return float(self._foretold(chain, (min(shift, SHIFT_MAX),))[role])

    def _foretold(self, chain: Chain, chosen: tuple[int, ...]) -> np.ndarray:
        """Return log p of the next field by the network and by all that was heard."""
        familiarity = self._settings.familiarity
        return self._listener.log_distribution(chain, chosen, familiarity=familiarity)

    def _chain(self, shift: int, role: int) -> Chain:
        return self._listener.chained(1, self._landed(shift), role)

    def _landed(self, shift: int) -> Chain:
        position = int(position_ids(np.array([self._now + shift]), _METRE)[0])
        return self._listener.chained(0, self._listener.state, min(shift, SHIFT_MAX), position)


class LstmAcmComposer:
    """The composer of the LSTM-ACM arm, and of a fusion arm."""

    def __init__(
        self, players: Players, release: str, foundation: Foundation, settings: Settings
    ) -> None:
        self.release = release
        self._players, self._foundation, self._settings = players, foundation, settings

    def compose(
        self, brief: Brief, rng: np.random.Generator, progress: Progress | None = None
    ) -> Score:
        """Return a score for the brief."""

        def new_writer(brief: Brief, guard: MelodyGuard) -> NetworkWriter:
            return NetworkWriter(brief, guard, self._players, self._settings)

        return compose_long_form(brief, rng, self._foundation, new_writer, progress)


@cache
def load_lstm_acm(
    weights: Path = WEIGHTS,
    settings: Settings | None = None,
    name: ComposerName = ComposerName.LSTM_ACM,
) -> LstmAcmComposer:
    """Return the composer of a folder of releases.

    Parameters
    ----------
    weights : Path
    settings : Settings, optional
    name : ComposerName
        What its music is said to be by: a fusion plays the same network.

    Raises
    ------
    CheckpointError
        A release is missing or damaged.
    EngineUnavailable
        The int8 engine was asked for and is not installed.
    """
    settings = settings or Settings()
    base = load_checkpoint(weights / ComposerName.LSTM_ACM)
    players, release = Players(_maker(base, settings.engine)), base.release
    if name is ComposerName.FUSION:
        genres = load_checkpoint(weights / GENRES)
        release = genres.release
        # Each is a network of its own, put together when somebody likes that style.
        makers = {
            style: _deferred(base, genres, style, settings.engine)
            for style in genres_of(base, genres)
        }
        players = Players(players.fusing, makers)
    if settings.engine is Engine.INT8:
        # Int8 and float32 part ways at some note: the name must tell them apart.
        release += f"+{settings.engine}"
    return LstmAcmComposer(players, release, load_foundation(weights), settings)


def _maker(checkpoint: Checkpoint, engine: Engine) -> NewListener:
    """Return what makes a listener, asked for nothing, of a network."""
    network = Network(checkpoint)
    nothing = np.zeros(network.shape.conditions, dtype=np.float32)
    if engine is Engine.INT8:
        return partial(FastListener, fast_network(network, hears=True), nothing)
    return partial(Listener, network, nothing)


def _deferred(base: Checkpoint, genres: Checkpoint, style: Style, engine: Engine) -> NewListener:
    """Return what makes a listener of a genre, its network put together at the first one."""

    @cache
    def maker() -> NewListener:
        return _maker(genre_network(base, genres, style), engine)

    return lambda: maker()()


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum())
