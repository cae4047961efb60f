"""Builders of people and studies; they call the product's services, so every test tests those too.

Time: what a builder leads up to happens now (`studies.clock`), what comes before it earlier.
A participant at `week4` was allocated 28 days ago and has just handed in week 4.
"""

from collections.abc import Mapping
from datetime import timedelta
from itertools import count

from questionnaires.instruments import instrument_named
from questionnaires.instruments.cpss import REVERSED
from questionnaires.instruments.instrument import Item, Kind
from studies import clock
from studies.design.protocol import Protocol
from studies.models.access import Holder
from studies.models.consent import Consent, ConsentRole
from studies.models.participant import Participant
from studies.models.study import Role, Site, Study
from studies.models.user import User
from studies.models.visit import Assessment
from studies.services.allocation import allocate_participant
from studies.services.entry.access import set_pin, sign_in
from studies.services.entry.consent import answer_questions, current_text, give_consent, text_in
from studies.services.entry.contact_check import confirm_contact
from studies.services.entry.enrolment import Invitation, invite_participant
from studies.services.entry.guardians import appoint_guardian
from studies.services.entry.majority import is_of_age
from studies.services.protocol.members import add_member
from studies.services.protocol.setup import create_study, open_study
from studies.services.trail.audit import SYSTEM, staff
from studies.services.visits.assessment import begin_assessment, save_answers, submit_assessment

PIN = "274918"
PASSWORD = "quiet-evening-music"
STAGES = ("invited", "consented", "baseline_done", "allocated", "week4", "week8")
WEEKS_SINCE_ALLOCATION = {"week4": 4, "week8": 8}
_numbers = count(1)

PSQI_TEXTS = {"bed": "23:30", "rise": "07:00", "latency_min": "40", "sleep_h": "5:45"}


def make_staff(
    role: str = Role.PRINCIPAL_INVESTIGATOR,
    *,
    study: Study | None = None,
    name: str = "",
    site: Site | None = None,
) -> User:
    """Return an account; with a study, a member of it in this role. No second factor."""
    account = User.objects.create_user(name or f"{role}-{next(_numbers)}", password=PASSWORD)
    if study is not None:
        add_member(study=study, user=account, role=role, site=site, actor=SYSTEM)
    return account


def make_study(
    *,
    clinician: User | None = None,
    code: str = "",
    is_open: bool = True,
    protocol: Protocol | None = None,
    zone: str = "Asia/Shanghai",
    night_minutes: int = 1,
) -> Study:
    """Return a study of four arms, open unless told otherwise."""
    actor = staff(clinician or make_staff())
    study = create_study(
        code=code or f"STUDY-{next(_numbers)}",
        title="Sleep music in stressed adolescents",
        zone=zone,
        night_minutes=night_minutes,
        protocol=protocol,
        actor=actor,
    )
    return open_study(study=study, actor=actor) if is_open else study


def clinician_of(study: Study) -> User:
    """Return the principal investigator, who made the study and looks after its people."""
    return study.memberships.filter(role=Role.PRINCIPAL_INVESTIGATOR).order_by("pk").first().user


def invite(
    study: Study,
    *,
    sex: str | None = "female",
    age_years: int = 15,
    language: str = "en",
    site: Site | None = None,
) -> Invitation:
    """Invite somebody to the study."""
    return invite_participant(
        study=study,
        name="Ada Example",
        contact="ada@example.org",
        language=language,
        strata={"sex": sex} if sex else {},
        age_years=age_years,
        site=site,
        actor=staff(clinician_of(study)),
    )


def make_participant(
    at: str = "invited", *, study: Study | None = None, sex: str = "female", language: str = "en"
) -> Participant:
    """Return a participant who has come as far as `at`; their link's token is `.url_token`."""
    place = STAGES.index(at)
    now = clock.now()
    study = study or make_study()
    with clock.at(now - timedelta(weeks=WEEKS_SINCE_ALLOCATION.get(at, 0))):
        invitation = invite(study, sex=sex, language=language)
        participant = invitation.participant
        if place >= STAGES.index("consented"):
            consent(invitation)
        if place >= STAGES.index("baseline_done"):
            answer_visit(participant, week=0)
        if place >= STAGES.index("allocated"):
            allocate_participant(participant=participant, actor=staff(clinician_of(study)))
    for week in (4, 8):
        since = WEEKS_SINCE_ALLOCATION.get(at, 0)
        if week <= since:
            with clock.at(now - timedelta(weeks=since - week)):
                answer_visit(participant, week=week, level=3 - week // 4)
    participant = Participant.objects.select_related("study").get(pk=participant.pk)
    participant.url_token = invitation.url_token
    return participant


def consent(invitation: Invitation, *, agreed: bool = True) -> None:
    """Set the PIN, sign in, and answer the consent text; a minor's guardian permits it.

    Whoever agrees is reached by their contact, which the template asks for before allocation.
    """
    set_pin(token=invitation.url_token, pin=PIN)
    sign_in(token=invitation.url_token, pin=PIN)
    participant = invitation.participant
    if agreed and not is_of_age(participant):
        permit(participant)
    decide(participant, agreed=agreed)
    if agreed:
        confirm_contact(participant=participant, actor=SYSTEM, reason="reached by telephone")


def decide(participant: Participant, *, agreed: bool = True) -> Consent:
    """Understand the consent text and answer it as the participant."""
    text = current_text(participant)
    if agreed:
        understand(participant)
    return give_consent(participant=participant, text=text, agreed=agreed)


def understand(participant: Participant, role: str = "") -> None:
    """Answer the questions on the consent text rightly."""
    text = current_text(participant)
    chosen = [question["answer"] for question in text.questions]
    assert answer_questions(participant=participant, text=text, chosen=chosen, role=role) == []


def permit(participant: Participant, *, agreed: bool = True) -> str:
    """Name a guardian, who sets a PIN and permits it, or does not; return their link's token."""
    token = name_guardian(participant)
    set_pin(token=token, pin=PIN, holder=Holder.GUARDIAN)
    role = ConsentRole.PERMISSION
    text = text_in(participant.study, participant.language)
    if agreed:
        understand(participant, role)
    give_consent(
        participant=participant, text=text, agreed=agreed, role=role, signed_as="Grace Example"
    )
    participant.refresh_from_db()
    return token


def name_guardian(participant: Participant) -> str:
    """Name a parent as staff do; return the token of their link."""
    return appoint_guardian(
        participant=participant,
        name="Grace Example",
        contact="grace@example.org",
        language=participant.language,
        actor=SYSTEM,
    )


def answer_visit(participant: Participant, *, week: int, level: int = 3) -> None:
    """Answer and hand in every instrument of a visit; see `answers` for `level`."""
    visit = Assessment.objects.filter(visit__participant=participant, visit__week=week)
    for assessment in visit.order_by("position"):
        answer(assessment, level=level)
        submit_assessment(assessment=assessment)


def answer(assessment: Assessment, *, level: int = 3) -> None:
    """Begin an assessment and answer every item; do not hand it in."""
    begin_assessment(assessment=assessment)
    save_answers(assessment=assessment, answers=answers(assessment.instrument, level))


def answers(instrument: str, level: int = 3) -> Mapping[str, str]:
    """Return typed answers to the required items; CPSS totals 14 times the level, at most 3."""
    items = instrument_named(instrument).items
    return {item.key: _answer(item, level) for item in items if item.required}


def _answer(item: Item, level: int) -> str:
    if item.kind is not Kind.CHOICE:
        return PSQI_TEXTS[item.key]
    code = min(level, max(item.choices))
    is_reversed = item.key in {f"item_{number}" for number in REVERSED}
    return str(max(item.choices) - code if is_reversed else code)
