"""The music as one function: `render` turns a brief into one finished, checked audio file.

compose > write MIDI > perform > synthesise and master (pass 1, measured) > gain and encode (pass 2)
> check > publish. Files of unfinished work are named `<stem>.<token>.part.*`; they are gone when
`render` returns or raises, whatever happened. The finished files appear by rename, complete or not
at all. Two renderings of one stem at a time do not disturb each other: each has its own token.
"""

import glob
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from generator.engine.audio.balance import even_out, fit_room, mean_amplitude, sink
from generator.engine.audio.encoders import Encoder, encoder_for
from generator.engine.audio.encoding import Scratch, mp3_duration_s, publish, sha256
from generator.engine.audio.features import features, loudness_curve
from generator.engine.audio.limits import Row, in_words
from generator.engine.audio.loudness import TruePeakMeter
from generator.engine.audio.mastering import Master, gain_to_target, soften_peaks
from generator.engine.audio.nature import BED_LU, NatureBed, with_bed
from generator.engine.audio.notation import judge_score
from generator.engine.audio.performance import TimedNote, end_repeats, perform
from generator.engine.audio.profile import SAMPLE_RATE_HZ, Profile, Timeline, timeline
from generator.engine.audio.quality import Measurements, SoundMeasurer, judge, unfit
from generator.engine.audio.refusals import UnfitMusic
from generator.engine.audio.renderers import Renderer, renderer_for
from generator.engine.audio.segments import samples, volume_check
from generator.engine.audio.synthesis import HEADROOM
from generator.engine.audio.thinning import thin
from generator.engine.brief import Bed, Brief, Rendering
from generator.engine.composers.engines import engine_for
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.gate import first_acceptable
from generator.engine.composers.registry import composer_for
from generator.engine.errors import SynthesisError
from generator.engine.score.midi import write_midi
from generator.engine.score.notes import Score

Progress = Callable[[float, str], None]

logger = logging.getLogger(__name__)

# So often music is drawn that may fail its quality control, the first time included.
MAX_DRAWS = 6
COMPOSING, RENDERING, CHECKING = "composing", "rendering", "checking"

# Shares of the whole work, as measured on one core: synthesis is quick, the encoder is not.
_COMPOSED, _SYNTHESISED, _ENCODED = 0.30, 0.55, 0.97
_ABANDONED_AFTER_S = 3600.0


def render(
    brief: Brief, *, directory: Path, stem: str, progress: Progress | None = None
) -> Rendering:
    """Return the finished rendering of a brief: `<stem>.mp3` and `<stem>.mid` in `directory`.

    A third file, `<stem>.check.mp3`, is what a listener sets the volume by (see `segments`).

    A melody further out than nineteen in twenty human ones is composed again, twice at most
    (`composers.gate`); what was drawn is kept with the rendering (`quality["typicality"]`). Music
    that fails its quality control is drawn again, with a seed that follows from the brief's; the
    failed draws are kept too (`quality["draws"]`).

    Parameters
    ----------
    brief : Brief
        The same brief gives the same files on the same machine.
    directory : Path
        Must exist; temporary files are written there too, about 17 MB a minute.
    stem : str
        Name of the files without suffix; earlier files of that name are replaced.
    progress : callable, optional
        Called as `progress(fraction, stage)` every second or two of work, `fraction` rising from
        0 to 1, `stage` one of "composing", "rendering", "checking". It may raise RenderCancelled.

    Raises
    ------
    PinUnmet
        This machine has not the renderer that the brief asks for.
    EngineUnavailable
        This machine has not the engine that the brief asks for.
    UnfitMusic
        No draw passed; the message names the lines that the last one failed.
    SynthesisError
        The score cannot be played, or the disk is full.
    RenderCancelled
        Raised by `progress`; like every exception it leaves no file behind.
    """
    report = _Rising(progress or _silent)
    renderer = renderer_for(brief.pin)
    # Refused before anything is composed.
    encoder_for(brief.pin)
    engine = engine_for(brief.pin)
    report(0.0, COMPOSING)
    composer = composer_for(brief.composer, engine=engine)
    scale = load_foundation().scale

    def draw(drawn: Brief) -> Rendering:
        def compose(n_before: int) -> Score:
            stream = [drawn.seed, 0, n_before] if n_before else [drawn.seed, 0]
            return composer.compose(
                drawn,
                np.random.default_rng(stream),
                progress=lambda fraction: report(_COMPOSED * fraction, COMPOSING),
            )

        graded = first_acceptable(compose, scale)
        rendering = render_score(
            graded.score,
            drawn,
            release=composer.release,
            directory=directory,
            stem=stem,
            progress=report,
            renderer=renderer,
        )
        quality = {**rendering.quality, "typicality": graded.described()}
        return replace(rendering, quality=quality)

    return first_fit(brief, draw)


def first_fit(brief: Brief, draw: Callable[[Brief], Rendering]) -> Rendering:
    """Return the first of at most `MAX_DRAWS` renderings that passes its quality control.

    Parameters
    ----------
    brief : Brief
    draw : callable
        Renders a brief or raises UnfitMusic; called with one brief after another that differ in
        their seeds only.

    Raises
    ------
    UnfitMusic
        None passed.
    """
    draws: list[dict[str, object]] = []
    while True:
        drawn = replace(brief, seed=drawn_seed(brief.seed, len(draws)))
        try:
            rendering = draw(drawn)
        except UnfitMusic as error:
            draws.append({"seed": drawn.seed, "failed": error.rows})
            logger.warning("draw %d, seed %d: %s", len(draws), drawn.seed, in_words(error.rows))
            if len(draws) == MAX_DRAWS:
                raise UnfitMusic(error.rows, MAX_DRAWS) from error
        else:
            quality = {**rendering.quality, "seed": drawn.seed, "draws": draws}
            return replace(rendering, quality=quality)


def drawn_seed(seed: int, n_before: int) -> int:
    """Return the seed of a draw: the brief's own for the first, then one that follows from it."""
    if n_before == 0:
        return seed
    digest = hashlib.sha256(f"{seed}:{n_before}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def render_score(
    score: Score,
    brief: Brief,
    *,
    release: str,
    directory: Path,
    stem: str,
    progress: Progress | None = None,
    renderer: Renderer | None = None,
) -> Rendering:
    """Return the finished rendering of a score that is already composed; see `render`.

    Parameters
    ----------
    release : str
        The release of the composer that made the score, stored with the rendering.
    renderer : Renderer, optional
        What turns notes into samples; else the one that the brief pins.
    """
    report = progress or _silent
    renderer, encoder = renderer or renderer_for(brief.pin), encoder_for(brief.pin)
    profile = Profile(name=f"sleep-{brief.minutes:g}/v1")
    plan = timeline(60 * brief.minutes)
    score = end_repeats(thin(score, plan))
    with _workplace(directory, stem) as work:
        performance = perform(
            score,
            music_end_s=plan.music_end / SAMPLE_RATE_HZ,
            rng=np.random.default_rng([brief.seed, 1]),
        )
        rows = judge_score(score, stretch=performance.stretch, timeline=plan)
        _refuse_unfit(rows, plan)
        _write_midi(score, work.midi_part)
        scratch = Scratch(work.scratch_part)
        notes = fit_room(even_out(sink(performance.notes, plan, profile)), profile)
        dry = with_bed(
            renderer.synthesise(notes, plan.n_samples), _bed(brief, notes, plan, profile)
        )
        measured = _master_to(scratch, dry, plan, profile, report)
        gain_db = gain_to_target(measured.integrated_lufs, profile)
        level = _Level(gain_db, measured, profile)
        encoder.write(_amplified(scratch, level, plan, report), work.audio_part)
        report(_ENCODED, CHECKING)
        measured = level.measured_after()
        rows += judge(measured, gain_db=gain_db, timeline=plan, profile=profile)
        _refuse_unfit(rows, plan)
        _require_length(work.audio_part, plan)
        check = volume_check(work.audio_part, start_s=plan.fade_in / SAMPLE_RATE_HZ)
        encoder.write(samples(check), work.check_part)
        rendering = Rendering(
            audio_path=work.audio,
            midi_path=work.midi,
            check_path=work.check,
            duration_s=plan.n_samples / SAMPLE_RATE_HZ,
            loudness_lufs=round(measured.integrated_lufs + gain_db, 2),
            true_peak_dbtp=round(measured.true_peak_dbtp + gain_db, 2),
            audio_sha256=sha256(work.audio_part),
            midi_sha256=sha256(work.midi_part),
            n_notes=len(performance.notes),
            composer_release=release,
            renderer=f"{renderer.pin.renderer} {renderer.pin.version}",
            pin=_kept_pin(brief, renderer, encoder),
            features=features(score, performance, measured, plan, gain_db),
            quality={
                "profile": profile.name,
                "passed": all(row["passed"] for row in rows),
                "gain_db": round(gain_db, 3),
                "rows": rows,
                "loudness_curve_lufs": loudness_curve(measured, gain_db),
            },
        )
        report(1.0, CHECKING)
        work.publish()
    return rendering


def _kept_pin(brief: Brief, renderer: Renderer, encoder: Encoder) -> dict[str, object]:
    """Return what made the rendering, complete, also where the brief left something open."""
    engine = brief.pin.engine if brief.pin else ""
    return asdict(replace(renderer.pin, encoder=encoder.name, engine=engine))


def _refuse_unfit(rows: list[Row], plan: Timeline) -> None:
    """Raise UnfitMusic if a line fails without which a file of this length must not be played."""
    failed = unfit(rows, plan)
    if failed:
        raise UnfitMusic(failed)


def _bed(
    brief: Brief, notes: Sequence[TimedNote], plan: Timeline, profile: Profile
) -> NatureBed | None:
    if brief.bed is Bed.NONE:
        return None
    return NatureBed(
        brief.bed,
        seed=brief.seed,
        amplitude=HEADROOM * mean_amplitude(notes, plan) * 10 ** (BED_LU / 20),
        timeline=plan,
        profile=profile,
    )


@dataclass(frozen=True)
class _Workplace:
    """The names of one rendering's files, unfinished (`_part`) and finished."""

    midi_part: Path
    scratch_part: Path
    audio_part: Path
    check_part: Path
    midi: Path
    audio: Path
    check: Path

    def publish(self) -> None:
        """Give the finished files their names; none stays if one cannot have it."""
        finished = [self.midi, self.check, self.audio]
        parts = [self.midi_part, self.check_part, self.audio_part]
        try:
            for part, final in zip(parts, finished, strict=True):
                publish(part, final)
        except OSError:
            for final in finished:
                final.unlink(missing_ok=True)
            raise

    def clear(self) -> None:
        """Remove whatever is unfinished."""
        for part in (self.midi_part, self.scratch_part, self.audio_part, self.check_part):
            part.unlink(missing_ok=True)


@contextmanager
def _workplace(directory: Path, stem: str) -> Iterator[_Workplace]:
    if not directory.is_dir():
        raise SynthesisError(
            f"a directory to write {stem}.mp3 into was expected, got {directory}. Create it first."
        )
    _sweep(directory, stem)
    token = secrets.token_hex(4)
    work = _Workplace(
        midi_part=directory / f"{stem}.{token}.part.mid",
        scratch_part=directory / f"{stem}.{token}.part.pcm",
        audio_part=directory / f"{stem}.{token}.part.mp3",
        check_part=directory / f"{stem}.{token}.part.check.mp3",
        midi=directory / f"{stem}.mid",
        audio=directory / f"{stem}.mp3",
        check=directory / f"{stem}.check.mp3",
    )
    try:
        yield work
    finally:
        work.clear()


def _sweep(directory: Path, stem: str) -> None:
    """Remove what a killed rendering of the stem has left; a living one's files are younger."""
    for left in directory.glob(f"{glob.escape(stem)}.*.part.*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_S:
                left.unlink()


def _write_midi(score: Score, path: Path) -> None:
    try:
        write_midi(score, path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise SynthesisError(
            f"room to write {path.name} was expected in {path.parent}, got {error.strerror}. "
            "Free disk space and try again."
        ) from error


def _master_to(
    scratch: Scratch,
    dry: Iterator[np.ndarray],
    plan: Timeline,
    profile: Profile,
    report: Progress,
) -> Measurements:
    """Pass 1: synthesise, master and measure everything but the gain."""
    master, measurer = Master(plan, profile), SoundMeasurer()
    n_done = 0
    for chunk in dry:
        mastered = master.process(chunk)
        measurer.add(mastered)
        scratch.append(mastered)
        n_done += len(chunk)
        share = n_done / plan.n_samples
        report(_COMPOSED + share * (_SYNTHESISED - _COMPOSED), RENDERING)
    return measurer.result()


class _Level:
    """The final gain; softens the peaks of a file whose true peak would come out too high."""

    def __init__(self, gain_db: float, measured: Measurements, profile: Profile) -> None:
        self._gain_db = gain_db
        self._measured = measured
        self._profile = profile
        self._too_high = measured.true_peak_dbtp + gain_db > profile.true_peak_max_dbtp
        self._peaks = TruePeakMeter()

    def apply(self, chunk: np.ndarray) -> np.ndarray:
        """Return the next chunk at its final level."""
        amplified = np.float32(10 ** (self._gain_db / 20)) * chunk
        if not self._too_high:
            return amplified
        softened = soften_peaks(amplified, self._profile)
        self._peaks.add(softened)
        return softened

    def measured_after(self) -> Measurements:
        """Return the measurements with the peaks that the file really has."""
        if not self._too_high:
            return self._measured
        peak_dbtp = self._peaks.dbtp() - self._gain_db
        return replace(self._measured, true_peak_dbtp=peak_dbtp, sample_peak=10 ** (peak_dbtp / 20))


def _amplified(
    scratch: Scratch, level: _Level, plan: Timeline, report: Progress
) -> Iterator[np.ndarray]:
    """Pass 2: the mastered sound at its final level."""
    n_done = 0
    for chunk in scratch.chunks():
        yield level.apply(chunk)
        n_done += len(chunk)
        share = n_done / plan.n_samples
        report(_SYNTHESISED + share * (_ENCODED - _SYNTHESISED), RENDERING)


def _require_length(audio: Path, plan: Timeline) -> None:
    """Trust the written file, not the intention."""
    expected_s, got_s = plan.n_samples / SAMPLE_RATE_HZ, mp3_duration_s(audio)
    if abs(got_s - expected_s) > 1.0:
        raise SynthesisError(
            f"an MP3 of {expected_s:.1f} s was expected, got {got_s:.1f} s. Check the disk and the "
            "installed soundfile, then try again."
        )


class _Rising:
    """Passes progress on, held at its highest while music is drawn again."""

    def __init__(self, report: Progress) -> None:
        self._report, self._highest = report, 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        self._highest = max(self._highest, fraction)
        self._report(self._highest, stage)


def _silent(_fraction: float, _stage: str) -> None:
    """Report to nobody."""
