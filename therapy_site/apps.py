"""App configurations: the site itself, and the administration with our own front page."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class TherapySiteConfig(AppConfig):
    """The shell: base templates, styles, operating commands."""

    name = "therapy_site"


class TherapyAdminConfig(AdminConfig):
    """Django's administration, shown by `TherapyAdminSite`."""

    default_site = "therapy_site.admin.TherapyAdminSite"
