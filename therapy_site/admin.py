"""The administration's front page: how the trial, the queue and the workers are."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from generator.selectors import failures, queue_depth, workers
from studies.selectors.progress import progress_of_all
from therapy_site.health import health

LATEST_FAILURES = 5


class TherapyAdminSite(admin.AdminSite):
    """The administration, under the site's own name and behind the site's own sign-in."""

    site_header = site_title = "Nocturne"
    index_title = _("Administration")
    enable_nav_sidebar = False

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send to the staff's sign-in, which asks for the second factor too."""
        return secure_admin_login(super().login)(request, extra_context)

    def index(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show what an administrator looks at first."""
        panels = {
            "health": health(),
            "progress": progress_of_all(),
            "queue": queue_depth(),
            "workers": workers(),
            "failures": failures(LATEST_FAILURES),
        }
        return super().index(request, {**panels, **(extra_context or {})})
