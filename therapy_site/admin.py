"""The administration's front page: how the trial, the queue and the workers are."""

from django.contrib import admin


class TherapyAdminSite(admin.AdminSite):
    """The administration, under the site's own name."""

    site_header = site_title = "Nocturne"
