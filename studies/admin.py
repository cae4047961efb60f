"""The trial's tables in the administration: to look at, never to change.

Trial data changes through the protocol's services only, so that every change is locked, checked and
recorded. Contacts and the allocation sequence are not here at all, and neither is anything that
tells an arm: nights, lessons and diaries.
"""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from studies.models.audit import AuditEntry
from studies.models.consent import Consent, ConsentText, Withdrawal
from studies.models.participant import Participant
from studies.models.study import Membership, Site, Study
from studies.models.user import User
from studies.models.visit import Assessment, Visit
from studies.services.trail.audit import record, staff


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Accounts, the one thing an administrator changes here; each change is in the site's trail."""

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Save an account and record which of its fields changed, never a password."""
        super().save_model(request, obj, form, change)
        record(
            actor=staff(request.user),
            action="change_account" if change else "create_account",
            subject=obj,
            new={
                "username": obj.get_username(),
                "changed": sorted(form.changed_data),
                "is_active": obj.is_active,
                "is_staff": obj.is_staff,
                "is_superuser": obj.is_superuser,
            },
        )

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete an account that did nothing yet (every other one is protected) and record it."""
        record(
            actor=staff(request.user),
            action="delete_account",
            subject=obj,
            old={"username": obj.get_username()},
        )
        super().delete_model(request, obj)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 -- Django's name
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002 -- Django's name
        obj: models.Model | None = None,  # noqa: ARG002 -- Django's name
    ) -> bool:
        return False

    has_delete_permission = has_change_permission


@admin.register(Study)
class StudyAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "state", "is_synthetic", "opened_at", "closed_at"]
    list_filter = ["state", "is_synthetic"]


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    list_display = ["study", "code", "name"]
    list_filter = ["study"]
    list_select_related = ["study"]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ["study", "site", "user", "role", "granted_at", "revoked_at"]
    list_filter = ["study", "role"]
    list_select_related = ["study", "site", "user"]


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin):
    list_display = ["code", "study", "state", "language", "zone", "enrolled_at"]
    list_filter = ["study", "state"]
    list_select_related = ["study"]
    search_fields = ["code"]


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    list_display = ["study", "version", "language", "sha256"]
    list_select_related = ["study"]


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["participant", "text", "role", "state", "answered_at"]
    list_select_related = ["participant", "text__study"]


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    list_display = ["participant", "scope", "withdrawn_at"]
    list_select_related = ["participant"]


@admin.register(Visit)
class VisitAdmin(ReadOnlyAdmin):
    list_display = ["participant", "week", "target_on", "opens_at", "closes_at"]
    list_filter = ["participant__study", "week"]
    list_select_related = ["participant"]


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    list_display = ["visit", "instrument", "state"]
    list_filter = ["visit__participant__study", "instrument", "state"]
    list_select_related = ["visit__participant"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["chain", "number", "at", "actor", "role", "action", "subject_type"]
    list_filter = ["chain", "action"]
    search_fields = ["actor", "subject_id"]
