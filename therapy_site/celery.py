"""The Celery app: the broker only wakes workers up, the database row is the job."""

import os

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "therapy_site.settings")

app = Celery("nocturne")
app.config_from_object("django.conf:settings", namespace="CELERY")


@celeryd_init.connect
def load_tasks(**_: object) -> None:
    """Load the tasks in workers only: with them comes torch, which web and scheduler do without.

    Celery only logs what a signal's receiver raises; a worker without tasks must not stay.
    """
    try:
        app.autodiscover_tasks(force=True)
    except ImportError as error:
        raise SystemExit(f"The tasks could not be loaded: {error}") from error
