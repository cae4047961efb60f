"""Seal people's own words anew when the keys rotate."""

from django.conf import settings
from django.db import models, transaction

from studies.design import sealing
from studies.models.cbt import ExerciseAnswer
from studies.models.message import Message
from studies.services.cbt.words import seal_words, unseal_words


def rotate_words() -> int:
    """Seal messages and exercises with the newest secret; return how many needed it."""
    return sum(_rotate(model) for model in (Message, ExerciseAnswer))


def _rotate(model: type[models.Model]) -> int:
    sealed = model.objects.exclude(sealed=None).exclude(sealed=b"").order_by("pk")
    return sum(_rotate_one(model, pk) for pk in sealed.values_list("pk", flat=True))


@transaction.atomic
def _rotate_one(model: type[models.Model], pk: int) -> bool:
    row = model.objects.select_for_update().get(pk=pk)
    secrets = settings.NOCTURNE_IDENTITY_KEYS.split(",")
    # Erased while this was going on, or sealed with the newest already.
    if not row.sealed or sealing.is_newest(row.sealed, secrets, sealing.WORDS):
        return False
    row.sealed = seal_words(unseal_words(row.sealed))
    row.save(update_fields=["sealed"])
    return True
