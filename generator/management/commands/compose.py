"""`manage.py compose markov --minutes 30 --seed 7 --out night.mid`: one piece as a MIDI file."""

import json
import math
import time
from argparse import ArgumentParser

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from generator.engine.brief import Brief, ComposerName, Instrument, Mode, Style
from generator.engine.composers.composer import Composer
from generator.engine.composers.engines import Engine
from generator.engine.composers.form import BREADTH
from generator.engine.composers.lstm_acm import Fusion, Settings, load_lstm_acm
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import EngineError
from generator.engine.metrics.line import melody_of
from generator.engine.metrics.melody import interval_shares, is_looping, repetition
from generator.engine.metrics.pitch import in_key_rate
from generator.engine.metrics.rhythm import on_beat_share, rhythm_consistency
from generator.engine.metrics.structure import structure_length
from generator.engine.score.clock import Clock
from generator.engine.score.midi import write_midi
from generator.engine.score.notes import Score
from generator.management.outputs import output_file


def style_weights(text: str) -> dict[Style, float]:
    """Return style weights from text like ``classical=0.7,folk=0.3``; a lone name weighs 1."""
    weights = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        try:
            weights[Style(name.strip())] = float(weight or 1.0)
        except ValueError as error:
            raise CommandError(
                f"styles like classical=0.7,folk=0.3 were expected, got {text!r}. "
                f"Known styles: {', '.join(Style)}."
            ) from error
    return weights


def composer_of(name: ComposerName, fusion: str | None, engine: Engine) -> Composer:
    """Return the composer, its styles fused in a way of its own where one is asked for."""
    if not fusion:
        return composer_for(name, engine=engine)
    if name not in (ComposerName.LSTM_ACM, ComposerName.FUSION):
        raise CommandError(
            f"--fusion was expected with lstm_acm or fusion, got {name}. Leave it out: {name} "
            "weighs the styles in its tables."
        )
    return load_lstm_acm(WEIGHTS, Settings(fusion=Fusion(fusion), engine=engine), name)


def described(score: Score, release: str, seconds: float) -> dict[str, object]:
    """Return what was made and what it measures, as JSON values; null where it has no value."""
    line = melody_of(score, BREADTH)
    measures = {
        "in_key": in_key_rate(score),
        "rhythm_consistency": rhythm_consistency(line.onsets, line.steps_per_bar),
        "on_the_beat": on_beat_share(line.onsets),
        "repetition_4": repetition(line.onsets, line.pitches, 4),
        "repetition_8": repetition(line.onsets, line.pitches, 8),
        "structure_length_bars": structure_length(line),
        **interval_shares(line.pitches),
    }
    return {
        "release": release,
        "notes": score.n_notes,
        "melody_notes": len(line),
        "minutes": round(Clock(score.tempo).seconds(score.n_steps) / 60.0, 2),
        "tonic": score.tonic,
        "mode": score.mode,
        "loops": is_looping(line.onsets, line.pitches),
        "cpu_seconds": round(seconds, 3),
        "measures": {
            name: round(value, 4) if math.isfinite(value) else None
            for name, value in measures.items()
        },
    }


class Command(BaseCommand):
    """Compose one piece and write it as a MIDI file."""

    help = "Compose one piece and write it as a MIDI file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the fields of a brief as options."""
        parser.add_argument("composer", choices=[name.value for name in ComposerName])
        parser.add_argument("--out", type=output_file, required=True)
        parser.add_argument("--minutes", type=float, default=45.0)
        parser.add_argument("--style", default="classical", help="Like classical=0.7,folk=0.3.")
        parser.add_argument("--tempo", type=float, default=66.0, help="Quarter notes a minute.")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default="major")
        parser.add_argument("--calmness", type=float, default=0.8)
        parser.add_argument(
            "--instrument", choices=[name.value for name in Instrument], default="piano"
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", action="store_true", help="Say what was made as JSON.")
        parser.add_argument(
            "--fusion",
            choices=[way.value for way in Fusion],
            help="How one music is made of several styles; two_phase for fusion, else embedding.",
        )
        parser.add_argument(
            "--engine",
            choices=[engine.value for engine in Engine],
            default=Engine.NUMPY.value,
            help="What runs the network; int8 needs requirements-fast.txt.",
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Compose, write, and say what was made."""
        try:
            brief = Brief(
                ComposerName(options["composer"]),
                options["minutes"],
                style_weights(options["style"]),
                options["seed"],
                options["tempo"],
                Mode(options["mode"]),
                options["calmness"],
                Instrument(options["instrument"]),
            )
            composer = composer_of(brief.composer, options["fusion"], Engine(options["engine"]))
            began = time.process_time()
            score = composer.compose(brief, np.random.default_rng(brief.seed))
            options["out"].parent.mkdir(parents=True, exist_ok=True)
            write_midi(score, options["out"])
        except EngineError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"a file to write was expected at {options['out']}, got {error.strerror}. Name "
                "another with --out."
            ) from error
        seconds = time.process_time() - began
        if options["json"]:
            made = described(score, composer.release, seconds)
            self.stdout.write(json.dumps(made, indent=2, sort_keys=True))
            return
        self.stdout.write(
            f"{options['out']}: {score.n_notes} notes by {composer.release} in {seconds:.1f} s."
        )
