"""The study, its arms, and who works on it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.engine.brief import ComposerName
from studies.design.protocol import Protocol
from studies.design.roles import RoleName
from studies.models.state import StateMachine


class StudyState(models.TextChoices):
    """Where a study is in its life; moves only forwards (`services/protocol/setup.py`)."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    LOCKED = "locked", _("Database locked")
    UNBLINDED = "unblinded", _("Unblinded")


class ArmKind(models.TextChoices):
    """What an arm gives each night."""

    CBT = "cbt", _("CBT-I lessons")
    MUSIC = "music", _("Sleep music")


class Role(models.TextChoices):
    """What a member of staff does in a study (abilities: `design/roles.py`)."""

    PRINCIPAL_INVESTIGATOR = RoleName.PRINCIPAL_INVESTIGATOR.value, _("Principal investigator")
    COORDINATOR = RoleName.COORDINATOR.value, _("Coordinator")
    THERAPIST = RoleName.THERAPIST.value, _("Therapist")
    ASSESSOR = RoleName.ASSESSOR.value, _("Blinded assessor")
    RESEARCHER = RoleName.RESEARCHER.value, _("Researcher")
    STATISTICIAN = RoleName.STATISTICIAN.value, _("Unblinded statistician")
    MONITOR = RoleName.MONITOR.value, _("Monitor")
    AUDITOR = RoleName.AUDITOR.value, _("Auditor")
    ADMINISTRATOR = RoleName.ADMINISTRATOR.value, _("Administrator")


def study_states() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new state needs no migration."""
    return StudyState.choices


def arm_kinds() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ArmKind.choices


def roles() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return Role.choices


def composer_names() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return [(name.value, name.printed) for name in ComposerName]


class Study(StateMachine):
    """A randomised trial; its plan is the protocol, frozen when the study opens."""

    machine = "study"

    code = models.SlugField(_("code"), unique=True, help_text=_("Short name, e.g. SLEEP-24"))
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(
        _("state"), max_length=16, choices=study_states, default=StudyState.DRAFT
    )
    protocol = models.JSONField(
        _("protocol"),
        help_text=_("Visits, instruments, eligibility, strata, blocks, music: design/protocol.py"),
    )
    protocol_sha256 = models.CharField(_("SHA-256 of the protocol"), max_length=64, blank=True)
    renderer_pin = models.JSONField(
        _("renderer's pin"),
        default=dict,
        blank=True,
        help_text=_("What every night is rendered with; fixed when the study opens"),
    )
    zone = models.CharField(
        _("time zone"), max_length=64, help_text=_("Time zone of new participants")
    )
    is_synthetic = models.BooleanField(
        _("synthetic people"),
        default=False,
        help_text=_("Synthetic people: labelled on every page and export"),
    )
    created_at = models.DateTimeField(_("created"))
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    unblinded_at = models.DateTimeField(_("unblinded"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("study"), _("studies")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state=StudyState.DRAFT) | models.Q(opened_at__isnull=False),
                name="studies_study_open_has_a_date",
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def plan(self) -> Protocol:
        """The protocol as an object."""
        return Protocol.from_json(self.protocol)

    @property
    def treated_until_week(self) -> int | None:
        """The week of the visit that ends music and lessons; None for the last one.

        Read past the plan, because every page of a participant asks.
        """
        return self.protocol.get("treatment_weeks") or None

    @property
    def is_locked(self) -> bool:
        """Nothing of it may be edited any more."""
        return self.state in {StudyState.LOCKED, StudyState.UNBLINDED}

    @property
    def is_blinded(self) -> bool:
        """Nobody may yet read results by arm."""
        return self.state != StudyState.UNBLINDED


class Arm(models.Model):
    """One of the treatments a participant can be allocated to."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="arms")
    code = models.CharField(max_length=16, help_text=_("Printed name, e.g. LSTM-ACM"))
    kind = models.CharField(max_length=8, choices=arm_kinds)
    composer = models.CharField(max_length=16, choices=composer_names, blank=True)
    ratio = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "code"], name="studies_arm_code_once"),
            models.CheckConstraint(
                condition=(models.Q(kind=ArmKind.CBT) & models.Q(composer=""))
                | (models.Q(kind=ArmKind.MUSIC) & ~models.Q(composer="")),
                name="studies_arm_music_has_a_composer",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Site(models.Model):
    """A place where a study is conducted; every participant belongs to one."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="sites", verbose_name=_("study"))
    code = models.SlugField(_("code"), max_length=16)
    name = models.CharField(_("name"), max_length=200)
    position = models.PositiveSmallIntegerField(_("position"))

    class Meta:
        verbose_name, verbose_name_plural = _("site"), _("sites")
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "code"], name="studies_site_code_once")
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.code}"


class MembershipQuerySet(models.QuerySet):
    """Which roles are held now."""

    def live(self) -> "MembershipQuerySet":
        """Return the roles that were not taken away."""
        return self.filter(revoked_at=None)


class Membership(models.Model):
    """A person's role in a study, at one of its sites or at all of them."""

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="memberships", verbose_name=_("study")
    )
    site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="memberships",
        verbose_name=_("site"),
        help_text=_("Empty: every site of the study"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="memberships",
        verbose_name=_("account"),
    )
    role = models.CharField(_("role"), max_length=32, choices=roles)
    granted_at = models.DateTimeField(_("granted"))
    granted_by = models.CharField(_("granted by"), max_length=150, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.CharField(_("revoked by"), max_length=150, blank=True)
    is_on_call = models.BooleanField(
        _("on call"), default=False, help_text=_("Answers alerts about participants")
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("role in a study"), _("roles in studies")
        constraints = [
            models.UniqueConstraint(
                fields=["study", "user", "role", "site"],
                condition=models.Q(revoked_at__isnull=True),
                name="studies_membership_role_once",
            ),
            models.UniqueConstraint(
                fields=["study", "user", "role"],
                condition=models.Q(revoked_at__isnull=True, site__isnull=True),
                name="studies_membership_role_everywhere_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.study}"
