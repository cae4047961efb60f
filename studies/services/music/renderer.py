"""What a study's nights are rendered with: fixed when it opens, the same in every arm.

A worker that has not the pinned renderer leaves the nights to another (docs/sound.md).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from django.conf import settings
from django.db import transaction

from generator.engine.audio.pins import built_in_pin
from generator.engine.brief import RendererPin
from generator.engine.composers.engines import Engine, engine_name
from generator.engine.composers.releases import composers_name
from generator.engine.errors import EngineUnavailable
from studies.exceptions import EngineMissing, ReasonMissing, RendererUnreadable
from studies.models.study import Study
from studies.services.trail.audit import Actor, record


def chosen_pin() -> RendererPin:
    """Return the pin that studies opened now get: the installation's choice, or the built-in.

    NOCTURNE_ENGINE says what runs the composers' networks, where the pin does not say it itself.
    The composers are those installed, whatever the installation's pin was written with.

    Raises
    ------
    RendererUnreadable
        NOCTURNE_RENDERER_PIN is not a pin as `audio_doctor --json` prints it.
    EngineMissing
        NOCTURNE_ENGINE names an engine that is not installed here.
    """
    text = settings.NOCTURNE_RENDERER_PIN
    try:
        pin = RendererPin(**json.loads(text)) if text else built_in_pin()
    except (TypeError, ValueError) as error:
        raise RendererUnreadable(str(error)) from error
    pin = replace(pin, composers=composers_name())
    if pin.engine:
        return pin
    try:
        return replace(pin, engine=engine_name(Engine(settings.NOCTURNE_ENGINE)))
    except EngineUnavailable as error:
        raise EngineMissing(str(error)) from error


def pin_of(study: Study) -> RendererPin | None:
    """Return what the study's nights are rendered with; None for one from before there were pins.

    Such a study gets the built-in voices, as they are.
    """
    return _pin_in(study.renderer_pin)


def is_pinned_so(brief: Mapping[str, object], study: Study) -> bool:
    """Return whether a stored brief asks for what its study has fixed by now."""
    return _pin_in(brief.get("pin")) == pin_of(study)


def are_composers_changed(study: Study) -> bool:
    """Return whether others are installed than the study fixed; never for one that fixed none."""
    return are_composers_pinned(study) and pin_of(study).composers != composers_name()


def are_composers_pinned(study: Study) -> bool:
    """Return whether the study has fixed its composers; not where it opened before any did."""
    pin = pin_of(study)
    return pin is not None and bool(pin.composers)


@transaction.atomic
def pin_renderer(*, study: Study, actor: Actor, reason: str = "") -> RendererPin:
    """Fix what the study's nights are rendered with; a second time only for a stated reason.

    What is made or in work stays as it was asked for; what waits is asked for anew within the
    minute (`preparing.prepare_nights`).
    """
    return _pin(study, chosen_pin(), actor, reason)


@transaction.atomic
def pin_composers(*, study: Study, actor: Actor, reason: str) -> RendererPin:
    """Fix the composers installed here for a study, for a stated reason; the sound stays.

    Raises
    ------
    ReasonMissing
        No reason is given.
    RendererUnreadable, EngineMissing
        The study has no pin, and the installation's, which it gets whole, cannot be had.
    """
    if not reason.strip():
        raise ReasonMissing("other composers")
    pin = pin_of(study)
    new = replace(pin, composers=composers_name()) if pin else chosen_pin()
    return _pin(study, new, actor, reason)


def _pin(study: Study, pin: RendererPin, actor: Actor, reason: str) -> RendererPin:
    old = Study.objects.select_for_update().get(pk=study.pk).renderer_pin
    if old and not reason.strip():
        raise ReasonMissing("another renderer")
    study.renderer_pin = asdict(pin)
    study.save(update_fields=["renderer_pin"])
    record(
        actor=actor,
        action="pin_renderer",
        subject=study,
        old=old or None,
        new=study.renderer_pin,
        reason=reason,
    )
    return pin


def _pin_in(stored: Mapping[str, str] | None) -> RendererPin | None:
    return RendererPin(**stored) if stored else None
