"""The administration's front page: how the trial, the queue and the workers are."""

from collections.abc import Iterable

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from generator.selectors import failures, in_work, queue_depth, refusals, workers
from studies.selectors.progress import progress_of_all
from studies.services.music.playlists import coverage_tonight
from therapy_site.health import health

LATEST_FAILURES = FIRST_REFUSALS = 5


class SecondFactorAdmin(admin.ModelAdmin):
    """Who has which second factor: to look at, and to remove for somebody who lost theirs.

    The library's own page would show the secret, with which an administrator could pass for a
    clinician.
    """

    list_display = fields = readonly_fields = ("user", "type", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 -- Django's name
        """Nobody sets up a second factor for somebody else."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 -- Django's name
        obj: models.Model | None = None,  # noqa: ARG002 -- Django's name
    ) -> bool:
        """Nobody edits one."""
        return False


class TherapyAdminSite(admin.AdminSite):
    """The administration, under the site's own name and behind the site's own sign-in."""

    # Rights come from roles in studies, and staff have no addresses: these would only mislead.
    absent = frozenset({"auth.group", "account.emailaddress"})
    replaced = {"mfa.authenticator": SecondFactorAdmin}

    site_header = site_title = "Nocturne"
    index_title = _("Administration")
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: type[models.Model] | Iterable[type[models.Model]],
        admin_class: type[admin.ModelAdmin] | None = None,
        **options: object,
    ) -> None:
        """Register what the apps bring, but for what is absent or replaced here."""
        one = isinstance(model_or_iterable, models.base.ModelBase)
        for model in [model_or_iterable] if one else model_or_iterable:
            label = model._meta.label_lower
            if label not in self.absent:
                super().register(model, self.replaced.get(label, admin_class), **options)

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
            "tonight": coverage_tonight(),
            "workers": workers(),
            "in_work": in_work(),
            "refusals": refusals()[:FIRST_REFUSALS],
            "failures": failures(LATEST_FAILURES),
        }
        return super().index(request, {**panels, **(extra_context or {})})
