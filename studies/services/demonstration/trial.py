"""Carry synthetic people through a study by the product's own services, weeks in seconds.

Each person is a generator that yields the moment of their next step; the earliest of all comes
next, and takes it with the clock at that moment. So the audit trail is in the order of time, slots
are given in the order in which people become ready, and every rule of the trial holds as it does
for real people: nothing is written past the services.
"""

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count
from uuid import uuid4

import numpy as np
from django.db import transaction

from generator.models.playlist import Playlist, PlaylistState
from studies import clock
from studies.design.synthetic import Person, relief_at
from studies.exceptions import AssessmentClosed, StudyError
from studies.models.consent import ConsentRole, WithdrawalScope
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant, ParticipantState
from studies.models.study import ArmKind, Study
from studies.models.visit import Assessment
from studies.services.allocation import allocate_participant, arm_of
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.demonstration.mornings import local, morning_steps
from studies.services.demonstration.skills import skills_steps
from studies.services.entry.consent import answer_questions, current_text, give_consent
from studies.services.entry.contact_check import confirm_contact
from studies.services.entry.enrolment import invite_participant
from studies.services.entry.guardians import appoint_guardian
from studies.services.entry.majority import is_of_age
from studies.services.music.listening import record_listening
from studies.services.music.playlists import assign_mix, request_tonight
from studies.services.music.preferences import state_preferences
from studies.services.trail.audit import Actor, participant_actor
from studies.services.visits.assessment import begin_assessment, save_answers, submit_assessment
from studies.services.visits.scheduling import keep_calendar

STYLES = ("classical", "song", "guitar", "folk", "jazz")
INSTRUMENTS = ("piano", "harp", "guitar", "vibraphone")

Render = Callable[[Playlist], None]
Life = Iterator[datetime]


@dataclass(frozen=True, slots=True)
class Script:
    """One person and what is unusual about them: where they stop, what they miss."""

    person: Person
    joins_at: datetime
    language: str = "en"
    # invited, consented, baseline_done: the person goes no further; declined, withdrawn: says so.
    stops_at: str = ""
    misses_week: int = 0


@dataclass(slots=True)
class Mixes:
    """One finished mix for each composer: the first listener's own, then everybody's.

    A demonstration listens to three mixes; a real study makes one for each night and person.
    """

    render: Render
    ready: dict[str, Playlist] = field(default_factory=dict)

    def tonight(self, participant: Participant, composer: str) -> PlaylistAssignment:
        """Give the participant a night, made on the spot for the first of each composer."""
        if composer in self.ready:
            return assign_mix(participant=participant, playlist=self.ready[composer])
        night = request_tonight(participant=participant)
        self.render(night.playlist)
        night.playlist.refresh_from_db()
        if night.playlist.state == PlaylistState.READY:
            self.ready[composer] = night.playlist
        return night


@dataclass(frozen=True, slots=True)
class Carried:
    """A person after the journey: the participant and the token of their private link."""

    participant: Participant
    token: str


def carry(
    *, study: Study, scripts: list[Script], actor: Actor, mixes: Mixes, until: datetime
) -> list[Carried]:
    """Let everybody live through the study up to `until`; return them in the order given."""
    carried: list[Carried] = []
    lives = (_live(study, script, actor, mixes, carried) for script in scripts)
    ticket = count()
    queue = [(next(life), next(ticket), life) for life in lives]
    heapq.heapify(queue)
    day = date.min
    while queue and queue[0][0] < until:
        moment, _ticket, life = heapq.heappop(queue)
        with clock.at(moment):
            if moment.date() > day:
                day = moment.date()
                keep_calendar()
            following = next(life, None)
        if following is not None:
            heapq.heappush(queue, (max(following, moment), next(ticket), life))
    with clock.at(until):
        keep_calendar()
    return carried


def _live(study: Study, script: Script, actor: Actor, mixes: Mixes, carried: list[Carried]) -> Life:
    """Take one person's steps; each `yield` is the moment of the next one."""
    yield script.joins_at
    invitation = invite_participant(
        study=study,
        name=f"Synthetic person {len(carried) + 1}",
        contact="nobody@example.org",
        language=script.language,
        strata={"sex": script.person.sex},
        age_years=script.person.age_years,
        actor=actor,
    )
    participant = invitation.participant
    carried.append(Carried(participant, invitation.url_token))
    if script.stops_at == ParticipantState.INVITED:
        return
    yield clock.now() + timedelta(hours=3)
    agreed = script.stops_at != ParticipantState.DECLINED
    if agreed and not is_of_age(participant):
        _be_permitted(participant, actor)
        yield clock.now() + timedelta(minutes=30)
    _decide(participant, agreed=agreed)
    if not agreed:
        return
    confirm_contact(participant=participant, actor=actor, reason="reached by telephone")
    if script.stops_at == ParticipantState.CONSENTED:
        return
    yield clock.now() + timedelta(minutes=20)
    _answer_visit(participant, script.person, week=0)
    participant.refresh_from_db()
    if participant.state != ParticipantState.BASELINE_DONE:
        return
    _state_taste(participant, script.person)
    if script.stops_at == ParticipantState.BASELINE_DONE:
        return
    yield clock.now() + timedelta(hours=20)
    allocate_participant(participant=participant, actor=actor)
    participant.refresh_from_db()
    yield from _treatment(participant, script, mixes)


def _be_permitted(participant: Participant, actor: Actor) -> None:
    appoint_guardian(
        participant=participant,
        name="Synthetic guardian",
        contact="nobody-else@example.org",
        language=participant.language,
        actor=actor,
    )
    permission = {"role": ConsentRole.PERMISSION, "signed_as": "Synthetic guardian"}
    _decide(participant, agreed=True, **permission)


def _decide(participant: Participant, *, agreed: bool, role: str = "", signed_as: str = "") -> None:
    text = current_text(participant)
    if agreed:
        chosen = [question["answer"] for question in text.questions]
        answer_questions(participant=participant, text=text, chosen=chosen, role=role)
    give_consent(participant=participant, text=text, agreed=agreed, role=role, signed_as=signed_as)


def _treatment(participant: Participant, script: Script, mixes: Mixes) -> Life:
    """Take the evenings, mornings and follow-up visits in the order of their moments."""
    steps = sorted(_steps(participant, script, mixes), key=lambda step: step[0])
    for moment, step in steps:
        yield moment
        try:
            step()
        except AssessmentClosed:
            continue
        except StudyError:
            # The study closed, or the participant left: evenings end here.
            return


def _steps(
    participant: Participant, script: Script, mixes: Mixes
) -> Iterator[tuple[datetime, Callable[[], object]]]:
    person, first = script.person, clock.today(participant.zone)
    evenings = _listening if arm_of(participant).kind == ArmKind.MUSIC else _lessons
    yield from evenings(participant, person, mixes, first)
    yield from morning_steps(participant, person, first)
    for visit in participant.visits.exclude(week__in=[0, script.misses_week]):
        late = int(person.random.integers(-2, 4))
        moment = local(visit.target_on + timedelta(days=late), time(16, 30), participant)
        week = visit.week
        yield moment, lambda week=week: _answer_visit(participant, person, week=week)
    if script.stops_at == ParticipantState.WITHDRAWN:
        moment = local(first + timedelta(days=37), time(18), participant)
        yield moment, lambda: _withdraw(participant)


def _listening(
    participant: Participant, person: Person, mixes: Mixes, first: date
) -> Iterator[tuple[datetime, Callable[[], object]]]:
    composer = arm_of(participant).composer
    for night in range(_days_of_treatment(participant)):
        if person.random.random() < person.adherence:
            share = float(np.clip(person.random.normal(0.85, 0.2), 0.1, 1.0))
            start = time(22, int(person.random.integers(60)))
            moment = local(first + timedelta(days=night), start, participant)
            yield moment, lambda share=share: _listen(participant, composer, mixes, share)


def _lessons(
    participant: Participant, person: Person, _mixes: Mixes, first: date
) -> Iterator[tuple[datetime, Callable[[], object]]]:
    yield from skills_steps(participant, person, first)


@transaction.atomic
def _answer_visit(participant: Participant, person: Person, *, week: int) -> None:
    relief = relief_at(_arm_code(participant), week)
    assessments = Assessment.objects.filter(visit__participant=participant, visit__week=week)
    for assessment in assessments.order_by("position"):
        typed = person.answers(assessment.instrument, relief)
        answers = {key: raw for key, raw in typed.items() if raw is not None}
        elapsed_ms = {key: _thinking_ms(person) for key in answers}
        begin_assessment(assessment=assessment)
        save_answers(assessment=assessment, answers=answers, elapsed_ms=elapsed_ms)
        submit_assessment(assessment=assessment)


def _thinking_ms(person: Person) -> int:
    return round(1000 * math.exp(person.random.normal(2.0, 0.4)))


def _state_taste(participant: Participant, person: Person) -> None:
    liked = person.random.choice(STYLES, size=2, replace=False)
    state_preferences(
        participant=participant,
        styles={str(liked[0]): 2.0, str(liked[1]): 1.0},
        instrument=str(person.random.choice(INSTRUMENTS)),
        tempo_bpm=float(person.random.integers(54, 71)),
        mode="major" if person.random.random() < 0.7 else "minor",
    )


def _listen(participant: Participant, composer: str, mixes: Mixes, share: float) -> None:
    night = mixes.tonight(participant, composer)
    if night.playlist.state != PlaylistState.READY:
        return
    heard_s = share * night.playlist.track.duration_s
    record_listening(
        participant=participant,
        night_id=night.pk,
        client_id=uuid4(),
        intervals=[[0.0, round(heard_s, 1)]],
    )


def _withdraw(participant: Participant) -> None:
    withdraw_participant(
        participant=participant,
        scope=WithdrawalScope.CONTACT,
        reason="",
        actor=participant_actor(participant),
    )


def _arm_code(participant: Participant) -> str | None:
    arm = arm_of(participant)
    return arm.code if arm else None


def _days_of_treatment(participant: Participant) -> int:
    return 7 * participant.study.plan.visits[-1].week
