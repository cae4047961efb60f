"""Describe each arm as it is reported: the TIDieR sheets, with what was delivered once it is known.

While the study is blinded the sheets say what was planned, and nothing of anybody.
"""

from collections.abc import Mapping

from studies.design.tidier import Delivered, Setting, tidier_sheet, to_markdown
from studies.models.cbt import LessonProgress
from studies.models.protocol import VersionState
from studies.models.study import Study
from studies.selectors.listening import nights_of
from studies.selectors.outcomes import allocated_codes, arm_labels
from studies.selectors.participant_flow import flow_of

IN_FORCE = (VersionState.ACTIVE, VersionState.SUPERSEDED)


def describe_arms(study: Study) -> str:
    """Return the sheets of all arms as Markdown."""
    plan, setting, delivered = study.plan, _setting(study), _delivered(study)
    sheets = [
        (arm.code, tidier_sheet(arm, plan, setting, delivered.get(arm.code))) for arm in plan.arms
    ]
    return to_markdown(study.title, sheets)


def _setting(study: Study) -> Setting:
    pin, course = study.renderer_pin, study.courses.last()
    return Setting(
        title=study.title,
        renderer=_renderer(pin),
        n_lessons=len(course.versions) if course else 0,
        modifications=[
            f"Version {version.number} since {version.active_at:%Y-%m-%d}: {version.reason}."
            for version in study.protocol_versions.filter(
                number__gt=1, state__in=IN_FORCE, active_at__isnull=False
            ).order_by("number")
        ],
    )


def _renderer(pin: Mapping[str, str]) -> str:
    if not pin:
        return ""
    composers = f", composers {pin['composers']}" if pin.get("composers") else ""
    return f"{pin['renderer']} {pin['version']}{composers}"


def _delivered(study: Study) -> dict[str, Delivered]:
    """Return what each arm got; nothing while the study is blinded."""
    if study.is_blinded:
        return {}
    labels = arm_labels(study, sorted(allocated_codes(study)))
    nights = [night for night in nights_of(study) if night.code in labels]
    finished = LessonProgress.objects.filter(
        participant__study=study, finished_at__isnull=False
    ).values_list("participant__code", flat=True)
    return {
        arm.name: Delivered(
            n_allocated=arm.allocated,
            n_started=arm.started or 0,
            nights=sum(labels[night.code] == arm.name for night in nights),
            minutes=sum(night.minutes for night in nights if labels[night.code] == arm.name),
            lessons=sum(labels.get(code) == arm.name for code in finished),
        )
        for arm in flow_of(study).arms
    }
