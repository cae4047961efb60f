"""`manage.py render_night --composer markov --minutes 45 --seed 3 --out night.mp3 --json`."""

import json
from argparse import ArgumentParser
from dataclasses import replace

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.audio.encoders import available_encoders
from generator.engine.audio.renderers import available_renderers
from generator.engine.brief import (
    Bed,
    Brief,
    ComposerName,
    Instrument,
    Mode,
    RendererPin,
    Rendering,
)
from generator.engine.composers.engines import Engine, engine_name
from generator.engine.composers.releases import composers_name
from generator.engine.errors import EngineError
from generator.engine.pipeline import render
from generator.management.commands.compose import style_weights
from generator.management.outputs import output_file


class Command(BaseCommand):
    """Render one night to an MP3 file and say what was made."""

    help = "Render one night to an MP3 file, with its MIDI beside it, and say what was made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the fields of a brief as options."""
        parser.add_argument(
            "--composer", choices=[name.value for name in ComposerName], required=True
        )
        parser.add_argument(
            "--out", type=output_file, required=True, help="A name that ends in .mp3."
        )
        parser.add_argument("--minutes", type=float, default=45.0)
        parser.add_argument("--style", default="classical=1", help="Like classical=0.7,folk=0.3.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--tempo", type=float, default=66.0, help="Quarter notes a minute.")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default="major")
        parser.add_argument("--calmness", type=float, default=0.8)
        parser.add_argument(
            "--instrument", choices=[name.value for name in Instrument], default="piano"
        )
        parser.add_argument("--bed", choices=[bed.value for bed in Bed], default="none")
        parser.add_argument(
            "--soundfont", default="", help="Play this SoundFont (a name, or part of a path)."
        )
        parser.add_argument(
            "--encoder", default="", help="Write the MP3 with this program, such as ffmpeg."
        )
        parser.add_argument(
            "--engine",
            choices=[engine.value for engine in Engine],
            default=Engine.NUMPY.value,
            help="What runs LSTM-ACM's network; int8 needs requirements-fast.txt.",
        )
        parser.add_argument("--json", action="store_true", help="Print everything as JSON.")

    def handle(self, *_args: object, **options: object) -> None:
        """Render, and print brief, pin, hashes, features and the quality-control table."""
        out = options["out"]
        if out.suffix != ".mp3":
            raise CommandError(f"--out with a name that ends in .mp3 was expected, got {out}.")
        torch.set_num_threads(1)
        try:
            brief = _brief(options)
            out.parent.mkdir(parents=True, exist_ok=True)
            rendering = render(brief, directory=out.parent, stem=out.stem)
        except (EngineError, OSError) as error:
            raise CommandError(str(error)) from error
        told = _as_json(brief, rendering) if options["json"] else _as_text(rendering)
        self.stdout.write(told)


def _brief(options: dict[str, object]) -> Brief:
    brief = Brief(
        composer=ComposerName(options["composer"]),
        minutes=options["minutes"],
        styles=style_weights(options["style"]),
        seed=options["seed"],
        tempo_bpm=options["tempo"],
        mode=Mode(options["mode"]),
        calmness=options["calmness"],
        instrument=Instrument(options["instrument"]),
        bed=Bed(options["bed"]),
    )
    pin = replace(
        _pin(options["soundfont"]),
        encoder=_encoder(options["encoder"]),
        engine=engine_name(Engine(options["engine"])),
        composers=composers_name(),
    )
    return replace(brief, pin=pin)


def _pin(soundfont: str) -> RendererPin:
    renderers = available_renderers()
    if not soundfont:
        return renderers[0].pin
    paths = {str(r.path): r.pin for r in renderers if hasattr(r, "path")}
    for path, pin in paths.items():
        if soundfont in path:
            return pin
    found = ", ".join(paths) or "none, or no FluidSynth to play one"
    raise CommandError(f"a SoundFont like {soundfont!r} was expected, got {found}.")


def _encoder(program: str) -> str:
    names = [encoder.name for encoder in available_encoders()]
    for name in names:
        if program in name:
            return name
    raise CommandError(f"one of {', '.join(names)} was expected, got {program!r}.")


def _as_json(brief: Brief, rendering: Rendering) -> str:
    facts = {
        "brief": json.loads(brief.to_json()),
        "pin": rendering.pin,
        "composer_release": rendering.composer_release,
        "audio": rendering.audio_path.name,
        "midi": rendering.midi_path.name,
        "audio_sha256": rendering.audio_sha256,
        "midi_sha256": rendering.midi_sha256,
        "audio_bytes": rendering.audio_path.stat().st_size,
        "duration_s": rendering.duration_s,
        "loudness_lufs": rendering.loudness_lufs,
        "true_peak_dbtp": rendering.true_peak_dbtp,
        "n_notes": rendering.n_notes,
        "features": dict(rendering.features),
        "quality": dict(rendering.quality),
    }
    return json.dumps(facts, indent=1)


def _as_text(rendering: Rendering) -> str:
    lines = [
        f"{rendering.audio_path}: {rendering.duration_s:.0f} s, {rendering.n_notes} notes by "
        f"{rendering.composer_release}, {rendering.renderer}",
        f"SHA-256 {rendering.audio_sha256}",
        f"{rendering.loudness_lufs:.2f} LUFS, {rendering.true_peak_dbtp:.2f} dBTP, "
        f"profile {rendering.quality['profile']}, "
        f"{len(rendering.quality['draws'])} draws failed before this one",
    ]
    lines += [
        f"{'passed' if row['passed'] else 'FAILED':<8}{row['item']:<26}{row['value']:>11} "
        f"  {row['limit']}"
        for row in rendering.quality["rows"]
    ]
    return "\n".join(lines)
