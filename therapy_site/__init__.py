"""The shell that plugs the apps together; it holds no rule of the trial."""

from therapy_site.celery import app as celery_app

__all__ = ["celery_app"]
