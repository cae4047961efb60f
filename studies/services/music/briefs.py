"""From taste to brief: everything but the composer is alike in all arms."""

import hashlib

from generator.engine.brief import Bed, Brief, ComposerName, Instrument, Mode, Style
from studies.design.taste import Taste
from studies.models.study import Arm, Study
from studies.services.music.renderer import pin_of


def brief_of(*, study: Study, arm: Arm, taste: Taste, key: str) -> Brief:
    """Return what to compose; the seed follows from the key."""
    return Brief(
        composer=ComposerName(arm.composer),
        minutes=float(study.plan.night_minutes),
        styles={Style(name): weight for name, weight in taste.styles.items()},
        seed=int(key[:16], 16) >> 1,
        tempo_bpm=taste.tempo_bpm,
        mode=Mode(taste.mode),
        instrument=Instrument(taste.instrument),
        bed=Bed(taste.bed),
        pin=pin_of(study),
    )


def opaque_key(*parts: object) -> str:
    """Return a key that names neither participant nor arm: the generator's tables know none."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
