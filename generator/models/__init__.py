"""Loads the model modules for Django; code imports the modules, never this package."""

from generator.models import playlist

__all__ = ["playlist"]
