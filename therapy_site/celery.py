"""The Celery app: the broker only wakes workers up, the database row is the job."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "therapy_site.settings")

app = Celery("nocturne")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
