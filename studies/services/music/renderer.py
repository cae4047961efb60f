"""What a study's nights are rendered with: fixed when it opens, the same in every arm.

A worker that has not the pinned renderer leaves the nights to another (docs/sound.md).
"""

import json
from dataclasses import asdict, replace

from django.conf import settings
from django.db import transaction

from generator.engine.audio.pins import built_in_pin
from generator.engine.brief import RendererPin
from generator.engine.composers.engines import Engine, engine_name
from generator.engine.errors import EngineUnavailable
from studies.exceptions import EngineMissing, ReasonMissing, RendererUnreadable
from studies.models.study import Study
from studies.services.trail.audit import Actor, record


def chosen_pin() -> RendererPin:
    """Return the pin that studies opened now get: the installation's choice, or the built-in.

    NOCTURNE_ENGINE says what runs the composers' networks, where the pin does not say it itself.

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
    return RendererPin(**study.renderer_pin) if study.renderer_pin else None


@transaction.atomic
def pin_renderer(*, study: Study, actor: Actor, reason: str = "") -> RendererPin:
    """Fix what the study's nights are rendered with; a second time only for a stated reason.

    Nights that were asked for before keep the pin that they were asked for with.
    """
    old = Study.objects.select_for_update().get(pk=study.pk).renderer_pin
    pin = chosen_pin()
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
