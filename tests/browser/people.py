"""People for the browser tests, carried by the product's own services inside an installation.

They run there, not in the test: a test calls them with `inside.ask`, and gets plain JSON back.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import product

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db.models import Sum

from generator.services.requesting import cancel_playlist
from studies import clock
from studies.design.protocol import four_arms
from studies.design.screening import ScreeningPlan, ScreeningQuestion
from studies.design.windows import morning_of
from studies.models.access import Holder
from studies.models.allocation import AllocationStream
from studies.models.audit import AuditEntry
from studies.models.cbt import DiaryEntry
from studies.models.listening import ListeningSession
from studies.models.lock import LooseKind
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Role, Study
from studies.models.user import User
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.diary import mornings_open
from studies.services.allocation import allocate_participant, arm_kind_of
from studies.services.cbt.diary import (
    diary_for,
    save_diary_answer,
    submit_diary,
)
from studies.services.closing.locks import lock_database
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.access import set_pin
from studies.services.entry.contact_check import confirm_contact
from studies.services.entry.enrolment import invite_participant, revoke_link
from studies.services.entry.screening import answer_screening
from studies.services.music.morning_diary import (
    morning_for,
    save_morning_answer,
    submit_morning,
)
from studies.services.music.playlists import request_tonight
from studies.services.music.preferences import state_preferences
from studies.services.protocol.members import add_member
from studies.services.protocol.setup import close_study, create_study, open_study, unblind_study
from studies.services.trail.audit import SYSTEM, staff
from studies.services.visits.assessment import (
    begin_assessment,
    decline_answer,
    save_answer,
    submit_assessment,
)
from studies.services.visits.correction import correct_assessment
from studies.services.visits.scheduling import keep_calendar
from tests.browser.answers import BASELINE, FOLLOW_UP, PIN, PSQI
from tests.factories import answers as typed_answers
from tests.factories import decide, name_guardian, permit
from tests.servers import PASSWORD

# Seven hours and a half of sleep in 7 h 45 in bed.
NIGHT = {
    "into_bed": "23:00", "tried_to_sleep": "23:05", "latency_min": "10", "awakenings": "0",
    "final_waking": "06:40", "out_of_bed": "06:45", "quality": "4",
}  # fmt: skip
BREATHING = ScreeningQuestion(
    "breathing",
    "yes",
    (
        ("en", "Has a doctor told you that you stop breathing in your sleep?"),
        ("zh-hans", "医生说过你睡觉时会停止呼吸吗"),
    ),
)
STAGES = ("invited", "pin", "consented", "baseline_done", "allocated")

Person = dict[str, str]


def make_team(names: list[str], administrator: str) -> dict[str, str]:
    """Make staff accounts; return the secrets of their authenticator apps."""
    secrets = {}
    for name in names:
        user = User.objects.create_user(name, password=PASSWORD)
        user.is_staff = user.is_superuser = name == administrator
        user.save()
        secrets[name] = generate_totp_secret()
        TOTP.activate(user, secrets[name])
    return secrets


def join(study: str, members: dict[str, str]) -> None:
    """Let staff work on a study that is there already, by name and role."""
    found = Study.objects.get(code=study)
    for name, role in members.items():
        user = User.objects.get(username=name)
        add_member(study=found, user=user, role=Role(role), actor=SYSTEM)


def make_study(
    code: str,
    title: str,
    members: dict[str, str],
    slots_per_stratum: int = 200,
    *,
    is_open: bool = True,
) -> str:
    """Make a study of one-minute nights with members by name and role; return its code."""
    plan = {**four_arms(1).to_json(), "slots_per_stratum": slots_per_stratum}
    study = create_study(
        code=code, title=title, zone="Europe/London", protocol=plan, actor=SYSTEM, is_synthetic=True
    )
    join(code, members)
    if is_open:
        open_study(study=study, actor=SYSTEM)
    return code


def enrol(
    study: str, as_far_as: str = "allocated", *, language: str = "en", sex: str = "female"
) -> Person:
    """Enrol somebody and carry them as far as one of `STAGES`; return code, token and kind."""
    invitation = invite_participant(
        study=Study.objects.get(code=study),
        name="Synthetic Person",
        contact="+44 20 7946 0000",
        language=language,
        strata={"sex": sex},
        age_years=16,
        actor=SYSTEM,
    )
    stages = {
        "invited": lambda _person: None,
        "pin": lambda _person: set_pin(token=invitation.url_token, pin=PIN),
        "consented": _consent,
        "baseline_done": _complete_baseline,
        "allocated": lambda person: allocate_participant(participant=person, actor=SYSTEM),
    }
    for stage in STAGES[: STAGES.index(as_far_as) + 1]:
        stages[stage](Participant.objects.get(pk=invitation.participant.pk))
    kind = arm_kind_of(invitation.participant)
    return {"code": invitation.participant.code, "token": invitation.url_token, "kind": kind}


def enrol_kinds(
    study: str, *, music: int = 1, cbt: int = 1, at_least: int = 0, language: str = "en"
) -> dict[str, list[Person]]:
    """Enrol and allocate until so many people get music and lessons; return them by kind.

    Whoever is one too many, or is there for the number alone, has no evenings.
    """
    wanted = {"music": music, "cbt": cbt}
    found: dict[str, list[Person]] = {kind: [] for kind in wanted}
    n_enrolled = 0
    while n_enrolled < at_least or any(len(found[kind]) < n for kind, n in wanted.items()):
        person = enrol(study, language=language)
        n_enrolled += 1
        if len(found[person["kind"]]) < wanted[person["kind"]]:
            found[person["kind"]].append(person)
        else:
            _without_evenings(person)
    return found


def keep_diaries(codes: list[str], days: int) -> None:
    """Write these people's diaries of the mornings before today, each at its own moment."""
    now = clock.now()
    for day, code in product(range(days, 0, -1), codes):
        person = Participant.objects.get(code=code)
        with clock.at(now - timedelta(days=day)):
            entry = diary_for(participant=person, morning_on=morning_of(clock.now(), person.zone))
            for item_key, raw in NIGHT.items():
                save_diary_answer(entry=entry, item_key=item_key, raw=raw)
            submit_diary(entry=entry)


def answer_open_visits(study: str, but: list[str]) -> int:
    """Answer everything that is open now, for everybody but these; return how many sheets."""
    keep_calendar()
    due = Assessment.objects.filter(
        visit__participant__study__code=study, state=AssessmentState.OPEN
    )
    sheets = list(due.exclude(visit__participant__code__in=but).order_by("pk"))
    for place, sheet in enumerate(sheets):
        # No two people answer quite the same.
        answers = {**FOLLOW_UP[sheet.instrument]}
        first = "latency_min" if sheet.instrument == "psqi" else "item_8"
        answers[first] = str(20 + 5 * (place % 7)) if first == "latency_min" else str(place % 4)
        _answer(sheet, answers)
    return len(sheets)


def heard_s(code: str) -> float:
    """Return how many seconds of music somebody heard."""
    sessions = ListeningSession.objects.filter(assignment__participant__code=code)
    return sessions.aggregate(total=Sum("heard_s"))["total"] or 0.0


def state_of(code: str) -> str:
    """Return where somebody stands."""
    return Participant.objects.get(code=code).state


def answers_kept(code: str, instrument: str) -> dict[str, list[str]]:
    """Return what somebody answered at their first visit: as typed, and in which language."""
    sheet = _sheet({"code": code}, instrument)
    rows = sheet.response.answers.values_list("item_key", "raw", "language")
    return {key: [raw, language] for key, raw, language in rows}


def n_saved(code: str) -> int:
    """Return how many answers of somebody were written, by the audit trail."""
    actions = ("save_answer", "decline_answer")
    return AuditEntry.objects.filter(actor=code, action__in=actions).count()


def morning_kept(code: str) -> dict[str, object]:
    """Return somebody's newest morning: its answers, and whether it was handed in."""
    entry = DiaryEntry.objects.filter(participant__code=code).order_by("morning_on").last()
    values = dict(entry.response.answers.values_list("item_key", "value"))
    return {"values": values, "is_submitted": entry.response.is_submitted}


def n_submitted(code: str) -> int:
    """Return how many sheets of somebody are handed in, by the audit trail."""
    sheets = Assessment.objects.filter(visit__participant__code=code)
    entries = AuditEntry.objects.filter(
        action="submit_assessment", subject_id__in=[str(sheet.pk) for sheet in sheets]
    )
    return entries.count()


def n_allocations(code: str) -> int:
    """Return how often somebody was allocated, by the audit trail."""
    person = Participant.objects.get(code=code)
    return AuditEntry.objects.filter(action="allocate", subject_id=str(person.pk)).count()


def exhaust(study: str) -> Person:
    """Use up a stratum's sequence; return somebody who comes too late."""
    stream = AllocationStream.objects.get(study__code=study, stratum="sex=female")
    for _slot in range(stream.n_slots):
        _without_evenings(enrol(study))
    return enrol(study, as_far_as="baseline_done")


def fail_tonight(code: str) -> None:
    """Ask for tonight's mix and take it back, so that its page says that it did not work out."""
    cancel_playlist(request_tonight(participant=Participant.objects.get(code=code)).playlist)


def finish_study(study: str, n: int, unblinded_by: str) -> str:
    """Carry `n` people through all eight weeks of a study that begins now; close and unblind it."""
    begun = clock.now()
    for _person in range(n):
        enrol(study)
    for week in (4, 8):
        with clock.at(begun + timedelta(weeks=week)):
            answer_open_visits(study, but=[])
    found, actor = Study.objects.get(code=study), staff(User.objects.get(username=unblinded_by))
    with clock.at(begun + timedelta(weeks=9)):
        close_study(study=found, actor=actor, reason="")
        left_open = dict.fromkeys(LooseKind, "looked at, it changes no result")
        lock_database(study=found, actor=actor, reasons=left_open)
        unblind_study(study=found, actor=actor, reason="the data are complete")
    return study


def people_on_their_way(study: str, language: str = "en") -> dict[str, Person]:
    """Return people at every step of the way that a page knows, by what is special about them.

    Each has the paths of the pages that are theirs alone.
    """
    earlier = clock.now() - timedelta(weeks=4)
    with clock.at(earlier):
        met_before = enrol_kinds(study, cbt=0, language=language)
    now = enrol_kinds(study, music=2, language=language)
    keep_calendar()
    found = {
        "invited": enrol(study, "invited", language=language),
        "reading": enrol(study, "pin", language=language),
        "starting": enrol(study, "consented", language=language),
        "checking": enrol(study, "consented", language=language),
        "waiting": enrol(study, "baseline_done", language=language),
        "declined": enrol(study, "pin", language=language),
        "revoked": enrol(study, "pin", language=language),
        "listener": now["music"][0],
        "unlucky": now["music"][1],
        "learner": now["cbt"][0],
        "visited": met_before["music"][0],
    }
    found |= _screened(study, language)
    found |= _guardians(study, language, asks=found["reading"], invites=found["invited"])
    _answer(_sheet(found["checking"], "psqi"), PSQI, is_sent=False)
    declined = Participant.objects.get(code=found["declined"]["code"])
    decide(declined, agreed=False)
    revoke_link(participant=Participant.objects.get(code=found["revoked"]["code"]), actor=SYSTEM)
    fail_tonight(found["unlucky"]["code"])
    request_tonight(participant=Participant.objects.get(code=found["listener"]["code"]))
    for name in ("starting", "checking"):
        for key in BASELINE:
            found[name][key] = f"/me/assess/{_sheet(found[name], key).pk}/"
    decline_answer(assessment=_sheet(found["checking"], "psqi"), item_key="d_c")
    found["listener"]["morning"] = _morning(found["listener"])
    found["unlucky"]["morning"] = _morning(found["unlucky"], is_answered=True)
    found["waiting"]["answers"] = f"answers/{_correct(found['waiting'])}/"
    due = Assessment.objects.filter(
        visit__participant__code=found["visited"]["code"], visit__week=4, instrument="psqi"
    )
    found["visited"]["paper"] = f"paper/{due.get().pk}/"
    learner = Participant.objects.get(code=found["learner"]["code"])
    found["learner"]["diary"] = f"/me/diary/{mornings_open(learner)[0]}/"
    return found


def _screened(study: str, language: str) -> dict[str, Person]:
    """Return who is screened in a study beside this one, and who has consented there.

    Its protocol asks before consent. The members are the same, and who reads results monitors it.
    """
    code = f"{study}-SCREENED"
    if not Study.objects.filter(code=code).exists():
        plan = replace(four_arms(1), screening=ScreeningPlan((BREATHING,), cpss_at_least=26))
        create_study(
            code=code, title="A screened study", zone="Europe/London", protocol=plan, actor=SYSTEM
        )
        beside = Study.objects.get(code=study).memberships.live()
        members = dict(beside.values_list("user__username", "role"))
        join(code, {n: Role.MONITOR if r == Role.RESEARCHER else r for n, r in members.items()})
        open_study(study=Study.objects.get(code=code), actor=SYSTEM)
        # Nothing is mailed to synthetic people, and one of these pages is about what was.
        Study.objects.filter(code=code).update(is_synthetic=False)
    asked, copied, refused = (enrol(code, "pin", language=language) for _ in range(3))
    for person, answer in ((copied, "no"), (refused, "yes")):
        answer_screening(
            participant=_participant(person),
            answers={BREATHING.name: answer},
            cpss=dict(typed_answers("cpss")),
            answered_by="staff",
            actor=SYSTEM,
        )
    _consent(_participant(copied))
    return {"screened": {**asked, "study": code}, "copied": {**copied, "study": code}}


def _guardians(study: str, language: str, *, asks: Person, invites: Person) -> dict[str, Person]:
    """Return the guardians' links: not opened yet, about to decide, and after a yes."""
    asked = name_guardian(_participant(asks))
    set_pin(token=asked, pin=PIN, holder=Holder.GUARDIAN)
    child = enrol(study, "pin", language=language)
    return {
        "guardian-invited": {"token": name_guardian(_participant(invites))},
        "guardian-asked": {"token": asked},
        "guardian-permitting": {"token": permit(_participant(child))},
    }


def _participant(person: Person) -> Participant:
    return Participant.objects.get(code=person["code"])


def _morning(person: Person, *, is_answered: bool = False) -> str:
    """Return the path of somebody's diary of this morning, answered or not."""
    writer = Participant.objects.get(code=person["code"])
    today = mornings_open(writer)[0]
    if is_answered:
        entry = morning_for(participant=writer, morning_on=today)
        for item in entry.response.definition.items:
            save_morning_answer(entry=entry, item_key=item.key, raw="2")
        submit_morning(entry=entry)
    return f"/me/morning/{today}/"


def _correct(person: Person) -> int:
    """Correct an answer into one that is worth a look; return the sheet's number."""
    sheet = _sheet(person, "psqi")
    correct_assessment(
        assessment=sheet,
        item_key="bed",
        raw="11:30",
        reason="As the participant said on the telephone",
        seen_revision=1,
        actor=SYSTEM,
    )
    return sheet.pk


def _without_evenings(person: Person) -> None:
    """Let somebody withdraw from music or lessons and go on answering: nothing is rendered then."""
    spare = Participant.objects.get(code=person["code"])
    withdraw_participant(participant=spare, scope="intervention", reason="", actor=SYSTEM)


def permit_for(code: str) -> None:
    """Let somebody's guardian say yes."""
    permit(Participant.objects.get(code=code))


def _consent(person: Participant) -> None:
    permit(person)
    decide(person)
    confirm_contact(participant=person, actor=SYSTEM, reason="reached by telephone")


def _complete_baseline(person: Participant) -> None:
    state_preferences(
        participant=person,
        styles={"song": 1.0},
        instrument="harp",
        tempo_bpm=58.0,
        mode="major",
    )
    for sheet in Assessment.objects.filter(visit__participant=person, visit__week=0):
        _answer(sheet, BASELINE[sheet.instrument])
    person.refresh_from_db()
    assert person.state == ParticipantState.BASELINE_DONE, person.state_reason


def _answer(sheet: Assessment, answers: dict[str, str], *, is_sent: bool = True) -> None:
    begin_assessment(assessment=sheet)
    for item_key, raw in answers.items():
        save_answer(assessment=sheet, item_key=item_key, raw=raw)
    if is_sent:
        submit_assessment(assessment=sheet)


def _sheet(person: Person, instrument: str) -> Assessment:
    sheets = Assessment.objects.filter(visit__participant__code=person["code"])
    return sheets.order_by("visit__week").filter(instrument=instrument).first()
