"""The music as one function: `render` turns a brief into one finished, checked audio file.

compose > write MIDI > perform > synthesise and master (pass 1, measured) > judge > gain and encode
(pass 2) > publish. `render` does it all; `master` stops before the second pass and leaves what
`encode` goes on from, in another process if need be, to the same bytes.

Files of unfinished work are named `<stem>.<token>.part.*`; they are gone when a function returns or
raises, whatever happened. The finished files appear by rename, complete or not at all. Two
renderings of one stem at a time do not disturb each other: each has its own token.
"""

import glob
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from generator.engine.audio.balance import even_out, fit_room, mean_amplitude, sink
from generator.engine.audio.encoders import Encoder, encoder_for
from generator.engine.audio.encoding import Scratch, publish, sha256
from generator.engine.audio.features import features, loudness_curve
from generator.engine.audio.limits import Row, in_words
from generator.engine.audio.mastered import (
    Mastered,
    as_finished,
    finished_sound,
    require_length,
    softens,
)
from generator.engine.audio.mastering import Master, gain_to_target
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
from generator.engine.brief import Bed, Brief, RendererPin, Rendering
from generator.engine.composers.engines import engine_for
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.gate import first_acceptable
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import composers_name, require_composers
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
        This machine has not the engine, or the composers, that the brief asks for.
    UnfitMusic
        No draw passed; the message names the lines that the last one failed.
    SynthesisError
        The score cannot be played, or the disk is full.
    RenderCancelled
        Raised by `progress`; like every exception it leaves no file behind.
    """
    report = _Rising(progress or _silent)
    with _workplace(directory, stem) as work:
        mastered = _first_fit(brief, work, report)
        rendering = _encoded(mastered, brief, work, report)
        work.publish()
    return rendering


def master(
    brief: Brief, *, directory: Path, stem: str, progress: Progress | None = None
) -> Mastered:
    """Return a night that lacks nothing but its encoding: `<stem>.master.pcm`, `<stem>.master.mid`.

    Draws and judges as `render` does, parameters and errors too; `progress` ends where `encode`
    goes on. The samples take 16 MB a minute; who takes them over removes them.
    """
    report = _Rising(progress or _silent)
    with _workplace(directory, stem) as work:
        mastered = _first_fit(brief, work, report)
        Scratch(work.scratch_part).settle()
        work.publish_master()
    return replace(mastered, scratch_path=work.scratch, midi_path=work.master_midi)


def encode(
    mastered: Mastered,
    brief: Brief,
    *,
    directory: Path,
    stem: str,
    progress: Progress | None = None,
) -> Rendering:
    """Return the finished rendering of what `master` left, the bytes that `render` would give.

    Raises
    ------
    PinUnmet
        This machine has not the pinned encoder.
    SynthesisError
        A file of the mastered night is missing or cut short, or the disk is full.
    RenderCancelled
        Raised by `progress`.
    """
    report = _Rising(progress or _silent)
    mastered.require_files(timeline(60 * brief.minutes))
    with _workplace(directory, stem) as work:
        _copy(mastered.midi_path, work.midi_part)
        rendering = _encoded(replace(mastered, midi_path=work.midi_part), brief, work, report)
        work.publish()
    return rendering


def _first_fit(brief: Brief, work: "_Workplace", report: Progress) -> Mastered:
    """Draw until a night passes its quality control; its files are the workplace's parts."""
    renderer = renderer_for(brief.pin)
    # Refused before anything is composed.
    encoder_for(brief.pin)
    engine = engine_for(brief.pin)
    require_composers(brief.pin)
    report(0.0, COMPOSING)
    composer = composer_for(brief.composer, engine=engine)
    scale = load_foundation().scale

    def draw(drawn: Brief) -> Mastered:
        def compose(n_before: int) -> Score:
            stream = [drawn.seed, 0, n_before] if n_before else [drawn.seed, 0]
            return composer.compose(
                drawn,
                np.random.default_rng(stream),
                progress=lambda fraction: report(_COMPOSED * fraction, COMPOSING),
            )

        graded = first_acceptable(compose, scale)
        drawn_one = _mastered(graded.score, drawn, composer.release, work, report, renderer)
        quality = {**drawn_one.quality, "typicality": graded.described()}
        return replace(drawn_one, quality=quality)

    return first_fit(brief, draw)


def first_fit(brief: Brief, draw: Callable[[Brief], Mastered]) -> Mastered:
    """Return the first of at most `MAX_DRAWS` nights that passes its quality control.

    Parameters
    ----------
    brief : Brief
    draw : callable
        Masters a brief or raises UnfitMusic; called with one brief after another that differ in
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
            mastered = draw(drawn)
        except UnfitMusic as error:
            draws.append({"seed": drawn.seed, "failed": error.rows})
            logger.warning("draw %d, seed %d: %s", len(draws), drawn.seed, in_words(error.rows))
            if len(draws) == MAX_DRAWS:
                raise UnfitMusic(error.rows, MAX_DRAWS) from error
        else:
            quality = {**mastered.quality, "seed": drawn.seed, "draws": draws}
            return replace(mastered, quality=quality)


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
    with _workplace(directory, stem) as work:
        renderer = renderer or renderer_for(brief.pin)
        mastered = _mastered(score, brief, release, work, report, renderer)
        rendering = _encoded(mastered, brief, work, report)
        work.publish()
    return rendering


def _kept_pin(brief: Brief, renderer: Renderer, encoder: Encoder) -> RendererPin:
    """Return what made a night: a renderer knows nothing of composers and what runs them."""
    return replace(
        renderer.pin,
        encoder=encoder.name,
        engine=brief.pin.engine if brief.pin else "",
        composers=composers_name(),
    )


def _mastered(
    score: Score,
    brief: Brief,
    release: str,
    work: "_Workplace",
    report: Progress,
    renderer: Renderer,
) -> Mastered:
    """Pass 1, and every line of the quality control."""
    encoder = encoder_for(brief.pin)
    profile = Profile(name=f"sleep-{brief.minutes:g}/v1")
    plan = timeline(60 * brief.minutes)
    score = end_repeats(thin(score, plan))
    performance = perform(
        score,
        music_end_s=plan.music_end / SAMPLE_RATE_HZ,
        rng=np.random.default_rng([brief.seed, 1]),
    )
    rows = judge_score(score, stretch=performance.stretch, timeline=plan)
    _refuse_unfit(rows, plan)
    _write_midi(score, work.midi_part)
    scratch = Scratch.emptied(work.scratch_part)
    notes = fit_room(even_out(sink(performance.notes, plan, profile)), profile)
    dry = with_bed(renderer.synthesise(notes, plan.n_samples), _bed(brief, notes, plan, profile))
    measured = _master_to(scratch, dry, plan, profile, report)
    gain_db = gain_to_target(measured.integrated_lufs, profile)
    finished = as_finished(measured, scratch, gain_db, profile)
    rows += judge(finished, gain_db=gain_db, timeline=plan, profile=profile)
    _refuse_unfit(rows, plan)
    return Mastered(
        scratch_path=work.scratch_part,
        midi_path=work.midi_part,
        gain_db=gain_db,
        softens=softens(measured, gain_db, profile),
        loudness_lufs=round(finished.integrated_lufs + gain_db, 2),
        true_peak_dbtp=round(finished.true_peak_dbtp + gain_db, 2),
        n_notes=len(performance.notes),
        composer_release=release,
        renderer=f"{renderer.pin.renderer} {renderer.pin.version}",
        pin=asdict(_kept_pin(brief, renderer, encoder)),
        features=features(score, performance, finished, plan, gain_db),
        quality={
            "profile": profile.name,
            "passed": all(row["passed"] for row in rows),
            "gain_db": round(gain_db, 3),
            "rows": rows,
            "loudness_curve_lufs": loudness_curve(finished, gain_db),
        },
    )


def _encoded(mastered: Mastered, brief: Brief, work: "_Workplace", report: Progress) -> Rendering:
    """Pass 2, into the workplace's parts; the paths are those of the files once published."""
    encoder = encoder_for(brief.pin)
    profile = Profile(name=f"sleep-{brief.minutes:g}/v1")
    plan = timeline(60 * brief.minutes)

    def tell(share: float) -> None:
        report(_SYNTHESISED + share * (_ENCODED - _SYNTHESISED), RENDERING)

    encoder.write(finished_sound(mastered, plan, profile, tell), work.audio_part)
    report(_ENCODED, CHECKING)
    require_length(work.audio_part, plan)
    check = volume_check(work.audio_part, start_s=plan.fade_in / SAMPLE_RATE_HZ)
    encoder.write(samples(check), work.check_part)
    rendering = Rendering(
        audio_path=work.audio,
        midi_path=work.midi,
        check_path=work.check,
        duration_s=plan.n_samples / SAMPLE_RATE_HZ,
        audio_sha256=sha256(work.audio_part),
        midi_sha256=sha256(work.midi_part),
        **mastered.figures(),
    )
    report(1.0, CHECKING)
    return rendering


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
    scratch: Path
    master_midi: Path

    def publish(self) -> None:
        """Give the finished files their names; none stays if one cannot have it."""
        _publish_all(
            {
                self.midi_part: self.midi,
                self.check_part: self.check,
                self.audio_part: self.audio,
            }
        )

    def publish_master(self) -> None:
        """Give the files of a night that is not encoded yet their names, or none of them."""
        _publish_all({self.midi_part: self.master_midi, self.scratch_part: self.scratch})

    def clear(self) -> None:
        """Remove whatever is unfinished."""
        for part in (self.midi_part, self.scratch_part, self.audio_part, self.check_part):
            part.unlink(missing_ok=True)


def _publish_all(finals: Mapping[Path, Path]) -> None:
    try:
        for part, final in finals.items():
            publish(part, final)
    except OSError:
        for final in finals.values():
            final.unlink(missing_ok=True)
        raise


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
        scratch=directory / f"{stem}.master.pcm",
        master_midi=directory / f"{stem}.master.mid",
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
    with _settled(path):
        write_midi(score, path)


def _copy(source: Path, path: Path) -> None:
    with _settled(path):
        shutil.copyfile(source, path)


@contextmanager
def _settled(path: Path) -> Iterator[None]:
    """See what is written in this block onto the disk."""
    try:
        yield
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


class _Rising:
    """Passes progress on, held at its highest while music is drawn again."""

    def __init__(self, report: Progress) -> None:
        self._report, self._highest = report, 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        self._highest = max(self._highest, fraction)
        self._report(self._highest, stage)


def _silent(_fraction: float, _stage: str) -> None:
    """Report to nobody."""
