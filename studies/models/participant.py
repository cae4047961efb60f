"""Participants, by pseudonym; no name, no contact here."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.engine.brief import Bed
from studies.design.roles import Ability, roles_with
from studies.models.state import StateMachine
from studies.models.study import Membership, Site, Study

if TYPE_CHECKING:
    from studies.models.user import User


class ParticipantState(models.TextChoices):
    """Where a participant is (`services/` move it, `design/states.py` says which moves exist)."""

    INVITED = "invited", _("Invited")
    CONSENTED = "consented", _("Consented")
    INELIGIBLE = "ineligible", _("Not eligible")
    BASELINE_DONE = "baseline_done", _("Baseline complete")
    ALLOCATED = "allocated", _("Allocated")
    COMPLETED = "completed", _("Completed")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


# Who agreed and has neither finished nor left: they are asked again when a consent text changes.
TAKES_PART = (
    ParticipantState.CONSENTED,
    ParticipantState.BASELINE_DONE,
    ParticipantState.ALLOCATED,
)


def participant_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ParticipantState.choices


class ParticipantQuerySet(models.QuerySet):
    """Who may see whom."""

    def visible_to(
        self, user: "User", ability: Ability = Ability.SEE_PARTICIPANTS
    ) -> "ParticipantQuerySet":
        """Return the participants at whose site the user has this ability now."""
        able = Membership.objects.live().filter(
            user=user, study=models.OuterRef("study"), role__in=roles_with(ability)
        )
        here = able.filter(models.Q(site=None) | models.Q(site=models.OuterRef("site")))
        return self.filter(models.Exists(here))


class Participant(StateMachine):
    """A person in the study, known by a code only."""

    machine = "participant"

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="participants", verbose_name=_("study")
    )
    site = models.ForeignKey(
        Site, models.PROTECT, related_name="participants", verbose_name=_("site")
    )
    code = models.CharField(
        _("code"), max_length=16, unique=True, help_text=_("Pseudonym with a check digit")
    )
    state = models.CharField(
        _("state"), max_length=16, choices=participant_states, default=ParticipantState.INVITED
    )
    stratum = models.CharField(_("stratum"), max_length=64, blank=True)
    strata = models.JSONField(
        _("stratification factors"), default=dict, help_text=_("Stratification factors, e.g. sex")
    )
    age_years = models.PositiveSmallIntegerField(_("age in years"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=8, default="en")
    zone = models.CharField(_("time zone"), max_length=64)
    enrolled_at = models.DateTimeField(_("enrolled"))
    contact_verified_at = models.DateTimeField(_("contact verified"), null=True, blank=True)
    state_reason = models.CharField(_("reason of the state"), max_length=200, blank=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("participant"), _("participants")
        ordering = ["enrolled_at", "id"]

    def __str__(self) -> str:
        return self.code


class Screening(models.Model):
    """One attempt to enter a study: the verdict with its reasons, and no name.

    An attempt that was refused has no participant; its contact is kept as a keyed hash only, by
    which another attempt with the same contact is recognised.
    """

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="screenings", verbose_name=_("study")
    )
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", verbose_name=_("site"))
    participant = models.OneToOneField(
        Participant, models.PROTECT, related_name="screening", null=True, blank=True
    )
    screened_at = models.DateTimeField(_("screened"))
    age_years = models.PositiveSmallIntegerField(_("age in years"))
    reasons = models.JSONField(_("reasons"), default=list)
    repeats = models.PositiveSmallIntegerField(
        _("repeats"), default=0, help_text=_("How many earlier attempts had the same contact")
    )
    refused_before = models.BooleanField(_("refused before"), default=False)
    # What the protocol asks before consent: the verdict's grounds are kept, single answers are not.
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.CharField(
        _("answered by"), max_length=16, blank=True, help_text=_("The participant or staff")
    )
    scores = models.JSONField(_("scores"), default=dict)
    flags = models.JSONField(_("flags"), default=list)
    blind_index = models.CharField(max_length=64, db_index=True)

    class Meta:
        verbose_name, verbose_name_plural = _("screening"), _("screenings")
        ordering = ["-screened_at", "-id"]

    def __str__(self) -> str:
        return f"{self.study} {self.screened_at:%Y-%m-%d}"

    @property
    def is_eligible(self) -> bool:
        """No rule stood in the way."""
        return not self.reasons


class MusicPreference(models.Model):
    """Which music a participant likes; steers composing, never the allocation."""

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="music_preference")
    styles = models.JSONField(help_text=_("Style name to weight, summing to 1"))
    instrument = models.CharField(max_length=16)
    tempo_bpm = models.FloatField()
    mode = models.CharField(max_length=8)
    bed = models.CharField(max_length=8, default=Bed.NONE.value)
    stated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.participant} {self.instrument}"
