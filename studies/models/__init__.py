"""Loads the model modules for Django; code imports the modules, never this package."""

from studies.models import (
    access,
    allocation,
    audit,
    cbt,
    consent,
    contact,
    listening,
    participant,
    study,
    user,
    visit,
)

__all__ = [
    "access",
    "allocation",
    "audit",
    "cbt",
    "consent",
    "contact",
    "listening",
    "participant",
    "study",
    "user",
    "visit",
]
