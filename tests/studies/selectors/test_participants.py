from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studies import clock
from studies.models.participant import Participant
from studies.models.visit import Assessment
from studies.selectors.participants import live_link, timeline
from studies.selectors.worklist import Attention, worklist
from studies.services.allocation import arm_of
from studies.services.conduct.deviations import find_deviations
from studies.services.conduct.items import finish_item, say_not_ok
from studies.services.conduct.queries import ask_about
from studies.services.conduct.reminders import send_due_reminders
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.copy_mail import send_copies
from studies.services.entry.enrolment import revoke_link
from studies.services.entry.identity import keep_identity
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM
from studies.services.visits.scheduling import keep_calendar
from tests.factories import clinician_of, decide, invite, make_participant, make_study, permit
from tests.studies.services.entry.test_consent import amend_text

pytestmark = pytest.mark.django_db


def test_who_needs_somebody_comes_first() -> None:
    study = make_study()
    invited = make_participant("invited", study=study)
    allocated = make_participant("allocated", study=study)
    ready = make_participant("baseline_done", study=study)
    send_copies()
    with clock.at(clock.now() + timedelta(weeks=4)):
        keep_calendar()
        rows = worklist(study, clinician_of(study))
    assert [(row.participant, row.attention) for row in rows] == [
        (ready, Attention.ALLOCATE),
        (invited, Attention.LINK),
        (allocated, Attention.OPEN),
    ]
    assert (rows[2].visit.week, rows[2].n_done, rows[2].n_planned) == (4, 2, 6)
    with clock.at(clock.now() + timedelta(weeks=5)):
        keep_calendar()
        assert Attention.LATE in {row.attention for row in worklist(study, clinician_of(study))}
    with clock.at(clock.now() + timedelta(weeks=6)):
        keep_calendar()
        assert Attention.MISSED in {row.attention for row in worklist(study, clinician_of(study))}


def test_who_has_not_agreed_to_a_new_text_is_on_the_worklist_until_both_have() -> None:
    study = make_study()
    ready = make_participant("baseline_done", study=study)
    allocated = make_participant("allocated", study=study)
    make_participant("invited", study=study)
    amend_text(allocated)

    def attentions() -> dict[int, Attention]:
        rows = worklist(study, clinician_of(study))
        return {row.participant.pk: row.attention for row in rows}

    outdated = {key for key, found in attentions().items() if found == Attention.CONSENT}
    assert outdated == {ready.pk, allocated.pk}
    decide(allocated)
    assert attentions()[allocated.pk] == Attention.CONSENT
    permit(allocated)
    assert attentions()[allocated.pk] == Attention.NONE


def test_nobody_is_needed_any_more_in_a_study_that_is_closed() -> None:
    study = make_study()
    make_participant("baseline_done", study=study)
    close_study(study=study, actor=SYSTEM, reason="the end of the year")
    study.refresh_from_db()
    assert {row.attention for row in worklist(study, clinician_of(study))} == {Attention.NONE}


def test_a_quiet_participant_shows_the_next_visit() -> None:
    participant = make_participant("allocated")
    row = worklist(participant.study, clinician_of(participant.study))[0]
    assert (row.attention, row.visit.week) == (Attention.NONE, 4)


def test_the_worklist_asks_as_often_for_many_as_for_one() -> None:
    study = make_study()
    counts = []
    for _ in range(3):
        make_participant("baseline_done", study=study)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rows = list(worklist(study, clinician_of(study)))
        counts.append(len(queries))
    assert len(rows) == 3
    assert counts == [counts[0]] * 3
    assert worklist(study, clinician_of(study))[1] == rows[1]
    assert worklist(study, clinician_of(study))[1:] == rows[1:]


def _told(participant: Participant) -> list[str]:
    return [row.what for row in timeline(participant)]


def test_a_timeline_tells_the_way_and_never_the_arm() -> None:
    participant = make_participant("week8")
    told = _told(participant)
    assert told[:2] == ["Invited", "Private link issued"]
    assert told[-1] == "Study completed"
    assert told.count("Questionnaire handed in") == 6
    details = [row.detail for row in timeline(participant)]
    assert "CPSS, week 8" in details
    assert arm_of(participant).code not in str(timeline(participant))


def test_a_timeline_is_ones_own() -> None:
    study = make_study()
    first, second = (invite(study).participant for _ in range(2))
    revoke_link(participant=second, actor=SYSTEM)
    assert _told(first) == ["Invited", "Private link issued"]
    assert _told(second)[-1] == "Private link revoked"
    assert live_link(first) is not None
    assert live_link(second) is None


def test_the_same_way_looks_the_same_in_every_arm() -> None:
    study = make_study()
    # Nine of a block of twelve may have other arms: of ten people one has lessons, by any seed.
    people = [make_participant("allocated", study=study) for _ in range(10)]
    assert len({arm_of(person).kind for person in people}) == 2
    assert len({tuple(_told(person)) for person in people}) == 1


def test_safety_comes_before_everything_else_and_stays_after_the_end() -> None:
    study = make_study()
    ready = make_participant("baseline_done", study=study)
    gone = make_participant("allocated", study=study)
    item = say_not_ok(participant=gone)
    withdraw_participant(participant=gone, scope="contact", reason="", actor=SYSTEM)
    rows = worklist(study, clinician_of(study))
    assert [(row.participant, row.attention) for row in rows] == [
        (gone, Attention.SAFETY),
        (ready, Attention.ALLOCATE),
    ]
    finish_item(item=item, user=clinician_of(study), note="Called")
    assert {row.attention for row in worklist(study, clinician_of(study))} == {
        Attention.ALLOCATE,
        Attention.NONE,
    }


def test_a_window_that_closes_soon_a_missing_address_and_a_query_ask_for_somebody() -> None:
    study = make_study()
    person = make_participant("allocated", study=study)
    clinician = clinician_of(study)
    sheet = Assessment.objects.filter(visit__participant=person, visit__week=0).first()
    ask_about(assessment=sheet, item_key="bed", question="Really?", user=clinician)
    assert [row.attention for row in worklist(study, clinician)] == [Attention.QUERY]
    keep_identity(participant=person, fields={"contact": "+49 30 123456"})
    visit = person.visits.get(week=4)
    with clock.at(visit.opens_at + timedelta(days=5, hours=12)):
        keep_calendar()
        send_due_reminders()
        assert [row.attention for row in worklist(study, clinician)] == [Attention.NO_ADDRESS]
    with clock.at(visit.closes_at - timedelta(days=1)):
        assert [row.attention for row in worklist(study, clinician)] == [Attention.CLOSING]


def test_the_timeline_tells_what_was_looked_after_and_nothing_of_one_arm_alone() -> None:
    person = make_participant("allocated")
    item = say_not_ok(participant=person)
    finish_item(item=item, user=clinician_of(person.study), note="Called")
    with clock.at(person.visits.get(week=4).ends_at):
        keep_calendar()
        find_deviations()
    told = [row.what for row in timeline(person)]
    assert told[-3:] == ["Safety: item opened", "Safety: item done", "Deviation noted"]
