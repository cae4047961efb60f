"""What every composer owes every listener, whatever it is made of."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from generator.engine.brief import ComposerName, Mode, Style
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.registry import composer_for
from generator.engine.errors import BriefError, CheckpointError, RenderCancelled
from generator.engine.metrics.melody import interval_shares, is_looping
from generator.engine.metrics.originality import melody_pairs, run_rows
from generator.engine.score.clock import Clock
from generator.engine.score.midi import read_midi, write_midi
from generator.engine.score.notes import Role
from generator.engine.score.scales import LEADING_NOTE, SCALES, SEVENTH
from tests.generator.engine.composers.conftest import BRIEFS, brief_for, compose

WHITELIST = {0, 4, 8, 10, 11, 24, 42, 46, 49, 52, 73, 75, 77, 88, 89, 91, 94, 104, 107, 108}
REGISTER = {Role.MELODY: (60, 79), Role.INNER: (36, 67), Role.BASS: (36, 67), Role.PAD: (36, 67)}


def melody_of(score):
    (part,) = [part for part in score.parts if part.role is Role.MELODY]
    return part.notes


def test_the_piece_ends_two_seconds_before_the_file(piece):
    assert Clock(piece.tempo).seconds(piece.n_steps) == pytest.approx(118.0, abs=1.0)


def test_melody_accompaniment_bass_and_pad_are_there(piece):
    assert {part.role for part in piece.parts} == set(Role)
    assert all(part.notes for part in piece.parts)


def test_programs_are_on_the_list_of_calm_instruments(piece):
    assert {part.program for part in piece.parts} <= WHITELIST


def test_the_melody_is_played_by_the_instrument_that_was_asked_for(pieces):
    programs = {name: score.parts[0].program for name, score in pieces.items()}
    assert list(programs.values()) == [0, 46, 11, 24]


def test_registers_hold(piece):
    for part in piece.parts:
        low, high = REGISTER[part.role]
        assert all(low <= note.pitch <= high for note in part.notes), part.role


def test_every_note_is_in_the_mode_that_was_asked_for(pieces):
    for name, score in pieces.items():
        assert score.mode == BRIEFS[name].mode
        leading = {LEADING_NOTE} if score.mode == "minor" else set()
        classes = {(note.pitch - score.tonic) % 12 for part in score.parts for note in part.notes}
        assert classes <= set(SCALES[score.mode]) | leading, name


def test_minor_goes_home_by_its_leading_note():
    score = compose(replace(brief_for(ComposerName.MARKOV), mode=Mode.MINOR))
    sevenths = [
        (note.pitch - score.tonic) % 12
        for part in score.parts
        for note in part.notes
        if (note.pitch - score.tonic) % 12 in (SEVENTH, LEADING_NOTE)
    ]
    assert set(sevenths) == {SEVENTH, LEADING_NOTE}
    assert sevenths.count(LEADING_NOTE) / score.n_notes > 0.02


def test_tempo_starts_as_asked_and_only_falls(piece):
    assert piece.tempo[0].bpm == pytest.approx(66.0, abs=0.01)
    assert all(there.bpm < here.bpm for here, there in pairwise(piece.tempo))


def test_melody_moves_mostly_by_step_and_never_leaps_beyond_an_octave(piece):
    shares = interval_shares([note.pitch for note in melody_of(piece)])
    assert shares["steps"] >= 0.5
    assert shares["widest"] <= 12


def test_the_melody_is_a_line_held_from_note_to_note(piece):
    notes = melody_of(piece)
    assert len(notes) >= 30
    assert all(here.offset == there.onset for here, there in pairwise(notes))


def test_no_pitch_is_struck_again_on_a_program_before_it_ends(piece):
    ends = {}
    rows = sorted(
        (n.onset, part.program, n.pitch, n.offset) for part in piece.parts for n in part.notes
    )
    for onset, program, pitch, offset in rows:
        assert ends.get((program, pitch), 0) <= onset
        ends[program, pitch] = offset


def test_the_melody_does_not_loop(piece):
    notes = melody_of(piece)
    assert not is_looping(np.array([n.onset for n in notes]), np.array([n.pitch for n in notes]))


def test_no_bar_of_the_whole_texture_is_heard_three_times_running(piece):
    bars = {}
    for part in piece.parts:
        for note in part.notes:
            bar, place = divmod(note.onset, 32)
            bars.setdefault(bar, set()).add((place, note.pitch, part.role))
    rows = [frozenset(bars.get(bar, ())) for bar in range(max(bars) + 1)]
    assert not any(a == b == c for a, b, c in zip(rows, rows[1:], rows[2:], strict=False))


def test_no_run_of_thirteen_notes_is_known_from_the_training_melodies(piece):
    notes = melody_of(piece)[:-1]
    pairs = melody_pairs(
        np.array([n.onset // 2 for n in notes]), np.array([n.pitch for n in notes])
    )
    assert not load_foundation().originals.knows(run_rows(pairs)).any()


def test_it_ends_on_the_tonic_above_a_tonic_chord(piece):
    last = max(note.onset for note in melody_of(piece))
    assert [n.pitch % 12 for n in melody_of(piece) if n.onset == last] == [piece.tonic]
    bass = [n for part in piece.parts if part.role is Role.BASS for n in part.notes]
    assert max(bass, key=lambda n: n.onset).pitch % 12 == piece.tonic


def test_velocities_are_soft_and_never_jump(piece):
    for part in piece.parts:
        assert all(12 <= note.velocity <= 72 for note in part.notes)
        assert all(abs(a.velocity - b.velocity) <= 10 for a, b in pairwise(part.notes))


def test_midi_re_reads_equal(piece, tmp_path):
    write_midi(piece, tmp_path / "night.mid")
    assert read_midi(tmp_path / "night.mid") == piece


@pytest.mark.parametrize("name", list(ComposerName))
def test_the_same_seed_gives_the_same_score_and_another_seed_another(name, pieces):
    assert compose(BRIEFS[name]) == pieces[name]
    short = replace(BRIEFS[name], minutes=0.5)
    assert compose(short) != compose(replace(short, seed=12))


@pytest.mark.parametrize("name", list(ComposerName))
def test_style_and_mode_change_the_music(name):
    short = brief_for(name, minutes=0.5, seed=5)
    jazz = compose(replace(short, styles={Style.JAZZ: 1.0}))
    folk = compose(replace(short, styles={Style.FOLK: 1.0}))
    assert jazz.parts != folk.parts
    assert compose(replace(short, mode=Mode.MINOR)).mode == "minor"


@pytest.mark.parametrize("name", list(ComposerName))
def test_calmer_briefs_have_fewer_notes(name):
    def n_melody(calmness):
        briefs = (brief_for(name, calmness=calmness, seed=seed) for seed in (1, 2))
        return sum(len(melody_of(compose(brief))) for brief in briefs)

    assert n_melody(1.0) < n_melody(0.2)


@pytest.mark.parametrize("name", list(ComposerName))
@pytest.mark.parametrize("minutes", [0.5, 0.7, 1.3])
def test_short_pieces_are_whole_pieces(name, minutes):
    score = compose(brief_for(name, minutes=minutes))
    assert Clock(score.tempo).seconds(score.n_steps) == pytest.approx(minutes * 60 - 2, abs=1.0)
    assert melody_of(score)[-1].pitch % 12 == score.tonic


def test_progress_rises_to_one_and_may_stop_the_work():
    seen = []
    brief = brief_for(ComposerName.MARKOV)
    composer = composer_for(brief.composer)
    composer.compose(brief, np.random.default_rng(1), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def refuse(_share):
        raise RenderCancelled("stop")

    with pytest.raises(RenderCancelled):
        composer.compose(brief, np.random.default_rng(1), refuse)


def test_a_night_of_45_minutes_is_composed_in_seconds():
    brief = brief_for(ComposerName.LSTM_ACM, minutes=45.0)
    composer_for(brief.composer)
    began = time.process_time()
    score = compose(brief)
    assert time.process_time() - began < 20.0
    assert score.n_notes > 3000


def test_an_unknown_composer_is_refused():
    with pytest.raises(BriefError, match="one of"):
        composer_for("chance")


def test_a_folder_without_releases_is_a_named_error(tmp_path):
    with pytest.raises(CheckpointError, match="train_composer"):
        composer_for(ComposerName.MARKOV, tmp_path)


@pytest.mark.parametrize("name", list(ComposerName))
def test_releases_are_named(name):
    assert composer_for(name).release.startswith(f"{name.value}-")
