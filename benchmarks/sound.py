"""Time and measure whole nights: synthesis with effects and metering, then MP3; and a peer's way.

    .venv/bin/python benchmarks/sound.py [--minutes 15 60] [--composer markov genetic]
                                         [--soundfont NAME] [--encoder ffmpeg] [--at-once 2]
                                         [--json FILE]

Each night is rendered in a process of its own, on one thread, so that its peak memory is its own.
Speeds are seconds of sound a second of processor time on one core, an encoder of its own included:
they hold on a busy machine too. Nights of one length must have one size, whoever composed them.
With `--at-once`, so many processes render the same night side by side, as so many workers do; what
that makes an hour is said twice: by the clock, which counts what else the machine did meanwhile,
and by the processor time that a night took, as if these processes had a core each.
The peer is `pretty_midi`'s own FluidSynth rendering of the same MIDI file with its bundled
SoundFont, without MP3 or measuring; left out, with a sentence, where there is no libfluidsynth or
no pyfluidsynth (which is no dependency of ours; any folder on PYTHONPATH will do).
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pretty_midi

sys.path.insert(0, str(Path(__file__).parents[1]))

from generator.engine.audio import fluidsynth
from generator.engine.audio.encoders import available_encoders
from generator.engine.audio.loudness import LoudnessMeter
from generator.engine.audio.renderers import available_renderers
from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.pipeline import CHECKING, COMPOSING, render

SEED = 3
RATE_HZ = 44_100
# The share of the work at which the encoder takes over, as the pipeline reports it.
ENCODING_FROM = 0.55


def main() -> None:
    """Print one line a night and one for the peer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[15.0, 60.0])
    names = [name.value for name in ComposerName]
    parser.add_argument("--composer", choices=names, nargs="+", default=["markov"])
    parser.add_argument("--soundfont", default="", help="part of the path of one to play")
    parser.add_argument("--encoder", default="", help="part of the name of one to write MP3 with")
    parser.add_argument("--at-once", type=int, default=1, help="nights rendered side by side")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--child", choices=["night", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        one = _night if options.child == "night" else _peer
        sys.stdout.write(json.dumps(one(options)))
        return
    with tempfile.TemporaryDirectory() as directory:
        results = list(_results(options, directory))
    if options.json:
        facts = {"machine": platform.machine(), "python": platform.python_version()}
        options.json.write_text(json.dumps(facts | {"results": results}, indent=1) + "\n", "utf-8")


def _results(options: argparse.Namespace, directory: str) -> Iterator[dict[str, object]]:
    if not _has_peer():
        _say("peer: left out, it needs libfluidsynth and pyfluidsynth")
    for minutes in options.minutes:
        sizes = set()
        for composer in options.composer:
            for child in ("night", "peer") if _has_peer() else ("night",):
                n_at_once = options.at_once if child == "night" else 1
                began = time.monotonic()
                started = [
                    _child(options, child, minutes, composer, Path(directory) / str(number))
                    for number in range(n_at_once)
                ]
                results = [_finished(process) for process in started]
                if n_at_once > 1:
                    _say(_throughput(results, time.monotonic() - began))
                for result in results:
                    sizes |= {result["bytes"]} if child == "night" else set()
                    _say(_line(result))
                    yield result
        _say(f"{minutes:g} minutes: {'one size' if len(sizes) == 1 else f'sizes {sorted(sizes)}'}")


def _has_peer() -> bool:
    return bool(fluidsynth.library() and find_spec("fluidsynth"))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _child(
    options: argparse.Namespace, child: str, minutes: float, composer: str, directory: Path
) -> subprocess.Popen:
    directory.mkdir(exist_ok=True)
    command = [sys.executable, __file__, "--child", child, "--minutes", str(minutes)]
    command += ["--composer", composer, "--directory", str(directory)]
    command += ["--soundfont", options.soundfont, "--encoder", options.encoder]
    threads = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - this very script
        command, stdout=subprocess.PIPE, text=True, env=threads
    )


def _finished(process: subprocess.Popen) -> dict[str, object]:
    told, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return json.loads(told)


def _throughput(results: list[dict[str, object]], took_s: float) -> str:
    nights = len(results)
    by_processor = sum(3600 / result["whole_s"] for result in results)
    return (
        f"{nights} at once: {3600 * nights / took_s:.0f} nights an hour by the clock, "
        f"{by_processor:.0f} by processor time"
    )


def _night(options: argparse.Namespace) -> dict[str, object]:
    """Render one night and say what its parts took."""
    stages = {}

    def note(fraction: float, stage: str) -> None:
        part = "compose" if stage == COMPOSING else "sound"
        if stage == CHECKING or fraction > ENCODING_FROM:
            part = "encode"
        stages[part] = _busy_s()

    minutes, composer = options.minutes[0], options.composer[0]
    pins = [
        r.pin for r in available_renderers() if options.soundfont in str(getattr(r, "path", ""))
    ]
    encoders = [e.name for e in available_encoders() if options.encoder in e.name]
    pin = replace(pins[0], encoder=encoders[0])
    brief = Brief(ComposerName(composer), minutes, {Style.CLASSICAL: 1.0}, SEED, pin=pin)
    began = _busy_s()
    result = render(brief, directory=options.directory, stem="night", progress=note)
    seconds = 60 * minutes
    rows = {row["item"]: row["value"] for row in result.quality["rows"]}
    return {
        "what": f"{result.renderer}, {pin.encoder}, {composer}",
        "minutes": minutes,
        "compose_s": round(stages["compose"] - began, 1),
        "sound_x": round(seconds / (stages["sound"] - stages["compose"]), 1),
        "encode_x": round(seconds / (stages["encode"] - stages["sound"]), 1),
        "whole_x": round(seconds / (_busy_s() - began), 1),
        "whole_s": round(_busy_s(), 1),
        "peak_mb": _peak_mb(),
        "lufs": result.loudness_lufs,
        "dbtp": result.true_peak_dbtp,
        "bytes": result.audio_path.stat().st_size,
        "local_jump_lu": rows["local_jump_lu"],
        "passed": result.quality["passed"],
    }


def _peer(options: argparse.Namespace) -> dict[str, object]:
    """Render the same notes as pretty_midi does, the whole night in memory."""
    midi = pretty_midi.PrettyMIDI(str(options.directory / "night.mid"))
    began = time.process_time()
    mono = midi.fluidsynth(fs=RATE_HZ)
    took_s = time.process_time() - began
    peak_mb = _peak_mb()
    meter = LoudnessMeter(RATE_HZ)
    for start in range(0, len(mono), 5 * RATE_HZ):
        meter.add(np.repeat(mono[start : start + 5 * RATE_HZ, None], 2, axis=1))
    return {
        "what": "pretty_midi.fluidsynth()",
        "minutes": options.minutes[0],
        "sound_x": round(len(mono) / RATE_HZ / took_s, 1),
        "peak_mb": peak_mb,
        "lufs": round(meter.integrated(), 2),
        "dbtp": round(meter.true_peak_dbtp(), 2),
        "at_full_scale": int((np.abs(mono) >= 1.0).sum()),
    }


def _busy_s() -> float:
    """Return the processor time of this process and of the encoders that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _line(result: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in result.items())


if __name__ == "__main__":
    main()
