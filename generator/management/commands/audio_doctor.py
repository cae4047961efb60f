"""`manage.py audio_doctor [--json] [--pin PIN]`: what this machine can render with, how fast."""

import json
from argparse import ArgumentParser
from dataclasses import asdict

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.audio.machine import AudioFacts, audio_facts
from generator.engine.brief import RendererPin
from generator.engine.composers.engines import Engine, available_engines
from generator.engine.composers.releases import composers_name
from generator.services.rendering import refusal_of


class Command(BaseCommand):
    """Say what this machine can render with, and how fast."""

    help = "Say what this machine can render with: encoder, device, SoundFonts, speed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form of the answer."""
        parser.add_argument("--json", action="store_true", help="Print everything as JSON.")
        parser.add_argument(
            "--pin", default="", help="Only say whether this machine meets a pin, given as JSON."
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Look, measure, print; fail where no night can be rendered at all."""
        torch.set_num_threads(1)
        if options["pin"]:
            self._require(options["pin"])
            return
        facts = audio_facts()
        told = {**asdict(facts), "engines": available_engines(), "composers": composers_name()}
        self.stdout.write(json.dumps(told, indent=1) if options["json"] else _text(facts))
        if not facts.encoders:
            raise CommandError(
                f"soundfile with an MP3 encoder was expected, got libsndfile {facts.libsndfile} "
                "without one. Reinstall soundfile from its wheel."
            )

    def _require(self, text: str) -> None:
        try:
            pin = RendererPin(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise CommandError(
                f"a pin as this command prints it with --json was expected, got one that cannot "
                f"be read ({error}). Copy it whole."
            ) from error
        if refusal := refusal_of({"pin": asdict(pin)}):
            raise CommandError(refusal)
        self.stdout.write("This machine meets the pin.")


def _text(facts: AudioFacts) -> str:
    lines = [
        f"Encoder     {', '.join(facts.encoders) or 'none: MP3 cannot be written'}",
        f"ffmpeg      {facts.ffmpeg or 'not found (not needed)'}",
        f"Device      {facts.cuda or 'CPU'}, {facts.n_cores} cores, torch {facts.torch}",
        f"FluidSynth  {facts.fluidsynth or 'not found: sampled instruments are off'}",
        f"Engines     {_engines()}",
        f"Composers   {composers_name()}",
        *(f"SoundFont   {path}" for path in facts.soundfonts),
    ]
    if not facts.fluidsynth:
        lines.append("            Debian: apt-get install libfluidsynth3 fluid-soundfont-gm")
    for renderer in facts.renderers:
        pin = renderer.pin
        name = f"{pin['renderer']} {pin['version']} on {pin['device']}"
        lines.append(
            f"Renderer    {name}{' with ' if renderer.soundfont else ''}{renderer.soundfont}: "
            f"{renderer.times_real_time:.0f} x real time a core, "
            "synthesis, effects and metering"
        )
    return "\n".join(lines)


def _engines() -> str:
    names = [name or Engine.NUMPY for name in available_engines()]
    return ", ".join(names) if names[1:] else "numpy (int8: pip install -r requirements-fast.txt)"
