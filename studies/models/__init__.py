"""Loads the model modules for Django; code imports the modules, never this package."""

from studies.models import (
    access,
    allocation,
    audit,
    cbt,
    consent,
    contact,
    listening,
    message,
    participant,
    protocol,
    sleep_window,
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
    "message",
    "participant",
    "protocol",
    "sleep_window",
    "study",
    "user",
    "visit",
]
