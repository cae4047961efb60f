"""What `trial.py` times, in a process in which Django is set up."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from random import Random
from time import perf_counter, process_time

import numpy as np
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from questionnaires.instruments import instrument_named
from studies import clock
from studies.design.protocol import four_arms
from studies.design.pseudonyms import new_code
from studies.models.audit import AuditEntry, AuditHead
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.user import User
from studies.models.visit import Assessment, Visit
from studies.services.protocol.setup import create_study, open_study
from studies.services.trail.audit import SYSTEM, record, staff, verify_chain
from studies.services.visits.assessment import (
    begin_assessment,
    save_answer,
    save_answers,
    submit_assessment,
)
from tests.factories import answer_visit

PAGES = {"worklist": "", "flow": "flow/", "participant": "p/{code}/", "trail": "trail/"}
REPEATS, WARM_UP, N_PROCESSES, AT_ONCE, SMALL = 40, 3, 2, 2000, 10
PASSWORD = "quiet-evening-music"  # noqa: S105 -- of an account in a database that is thrown away
SEED = 20261122
WEEKS, INSTRUMENTS = (0, 4, 8), ("psqi", "cpss")
# One answer after another, by everybody in turn.
HASHES = {"postgresql": "md5(i::text) || md5((-i)::text)", "sqlite": "lower(hex(randomblob(32)))"}
FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s),
answer(at) AS (SELECT %s),
person AS (
    SELECT code, row_number() OVER (ORDER BY id) - 1 AS place
    FROM studies_participant WHERE study_id = %s
)
INSERT INTO studies_auditentry (
    chain, number, at, actor, role, zone, action, subject_type, subject_id, new, reason,
    previous_hash, hash
)
SELECT %s, %s + i, answer.at, person.code, 'participant', %s, 'save_answer', 'studies.diaryentry',
    i, %s, '', '', {hash}
FROM n CROSS JOIN answer JOIN person ON person.place = i %% %s
"""
# How far people have come, over and over: half have finished.
WAYS = (
    ("completed", ("submitted", "submitted", "submitted")),
    ("allocated", ("submitted", "submitted", "scheduled")),
    ("completed", ("submitted", "submitted", "submitted")),
    ("allocated", ("submitted", "missed", "open")),
    ("baseline_done", ("submitted",)),
    ("invited", ()),
)


def main(n_participants: int, n_entries: int, n_sheets: int) -> None:
    """Print every figure as one line of JSON."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    user = User.objects.create_user("investigator", password=PASSWORD)
    TOTP.activate(user, generate_totp_secret())
    began = perf_counter()
    small = _study("SMALL", user, n_participants // SMALL, n_entries // SMALL)
    large = _study("LARGE", user, n_participants, n_entries)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    written_s = perf_counter() - began
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    results = {
        "participants": n_participants,
        "entries": n_entries,
        "written_s": round(written_s, 1),
        "pages": [_page(client, name, large, small) for name in PAGES],
        "sheets": _sheets(_study("SHEETS", user, 2 * n_sheets, 0)),
    }
    sys.stdout.write(json.dumps(results) + "\n")


def _study(code: str, user: User, n_participants: int, n_entries: int) -> Study:
    """Return an open study with people at every stage, written past the services."""
    plan = replace(four_arms(1), slots_per_stratum=max(48, 2 * n_participants))
    actor = staff(user)
    study = create_study(code=code, title=code, zone="Asia/Shanghai", protocol=plan, actor=actor)
    study = open_study(study=study, actor=actor)
    people = _people(study, n_participants)
    visits = _visits(people)
    _assessments(visits, for_sheets=not n_entries)
    if n_entries:
        _answer_truly(_looked_at(study))
        _entries(study, people, n_entries)
    return study


def _looked_at(study: Study) -> Participant:
    """Return the one whose page is asked for."""
    return study.participants.filter(state="allocated").order_by("pk").last()


def _answer_truly(person: Participant) -> None:
    """Let one participant hand in two visits by the services, so that their page has answers."""
    now = clock.now()
    visits = person.visits.filter(week__in=WEEKS[:2])
    visits.update(opens_at=now - timedelta(days=1), closes_at=now + timedelta(days=10))
    Assessment.objects.filter(visit__in=visits).update(state="open")
    for week, state in zip(WEEKS[:2], ("consented", "allocated"), strict=True):
        Participant.objects.filter(pk=person.pk).update(state=state)
        answer_visit(person, week=week)


def _people(study: Study, n: int) -> list[Participant]:
    site, now = study.sites.get(), clock.now()
    random, taken = Random(f"{SEED} {study.code}"), set()  # noqa: S311 -- codes of nobody
    while len(taken) < n:
        taken.add(new_code(random))
    rows = [
        Participant(
            study=study, site=site, code=code, state=WAYS[place % len(WAYS)][0], age_years=15,
            zone=study.zone, strata={"sex": "female"}, enrolled_at=now - timedelta(minutes=place),
        )
        for place, code in enumerate(sorted(taken))
    ]  # fmt: skip
    return Participant.objects.bulk_create(rows, AT_ONCE)


def _visits(people: list[Participant]) -> list[tuple[Visit, str]]:
    now, rows = clock.now(), []
    for place, person in enumerate(people):
        for week, state in zip(WEEKS, WAYS[place % len(WAYS)][1], strict=False):
            opens_at = now - timedelta(weeks=8 - week)
            visit = Visit(
                participant=person, week=week, target_on=opens_at.date(), opens_at=opens_at,
                closes_at=opens_at + timedelta(days=11),
            )  # fmt: skip
            rows.append((visit, state))
    Visit.objects.bulk_create([visit for visit, _state in rows], AT_ONCE)
    return rows


def _assessments(visits: list[tuple[Visit, str]], *, for_sheets: bool) -> None:
    rows = [
        Assessment(
            visit=visit, instrument=instrument, position=position,
            state="open" if for_sheets else state,
        )
        for visit, state in visits
        for position, instrument in enumerate(INSTRUMENTS)
    ]  # fmt: skip
    Assessment.objects.bulk_create(rows, AT_ONCE)
    if for_sheets:
        Visit.objects.filter(pk__in=[visit.pk for visit, _state in visits]).update(
            opens_at=clock.now(), closes_at=clock.now() + timedelta(days=11)
        )


def _entries(study: Study, people: list[Participant], n: int) -> None:
    """Append `n` entries to the study's trail, as many answers as a trial of this size brings.

    What was said to the people is written by the trail's own service; the rest is made by the
    database itself, with hashes that only look like hashes, because nobody verifies this chain.
    """
    for person in people:
        record(actor=SYSTEM, action="invite_participant", subject=person)
    head = AuditHead.objects.get(chain=study.code)
    with connection.cursor() as cursor:
        cursor.execute(
            FILL.format(hash=HASHES[connection.vendor]),
            [n - len(people), clock.now(), study.pk, study.code, head.length, study.zone,
             json.dumps({"item": "item_1", "raw": "3"}), len(people)],
        )  # fmt: skip
    head.length, head.hash = head.length + n - len(people), "f" * 64
    head.save()


def _page(client: Client, name: str, large: Study, small: Study) -> dict[str, object]:
    n_small = len(_queries(client, name, small))
    n_large = len(_queries(client, name, large))
    if n_large > n_small:
        raise SystemExit(f"{name}: {n_small} queries for the small study, {n_large} for the large.")
    ask = _asker(client, name, large)
    for _ in range(WARM_UP):
        ask()
    times = np.array([_timed(ask) for _ in range(REPEATS)]) * 1000
    (wall_p50, cpu_p50), (wall_p95, cpu_p95) = np.percentile(times, [50, 95], axis=0)
    return {
        "page": name, "queries": n_large, "wall_p50_ms": wall_p50, "wall_p95_ms": wall_p95,
        "cpu_p50_ms": cpu_p50, "cpu_p95_ms": cpu_p95,
    }  # fmt: skip


def _asker(client: Client, name: str, study: Study) -> Callable[[], None]:
    person = _looked_at(study)
    address = f"/clinic/{study.code}/" + PAGES[name].format(code=person.code)

    def ask() -> None:
        response = client.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}.")

    return ask


def _queries(client: Client, name: str, study: Study) -> CaptureQueriesContext:
    ask = _asker(client, name, study)
    ask()
    with CaptureQueriesContext(connection) as queries:
        ask()
    return queries


def _timed(ask: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = perf_counter(), process_time()
    ask()
    return perf_counter() - wall, process_time() - cpu


def _sheets(study: Study) -> list[dict[str, object]]:
    """Let half of the people answer their first CPSS item by item, the others all at once."""
    found = Assessment.objects.filter(visit__participant__study=study, instrument="cpss")
    keys = list(found.filter(visit__week=0).values_list("pk", flat=True))
    half = len(keys) // 2
    results = [
        _handed_in(study, "item by item", _answer_each, keys[:half]),
        _handed_in(study, "all at once", _answer_all, keys[half:]),
    ]
    if breaks := verify_chain(study.code):
        raise SystemExit(f"the audit chain does not hold: {breaks[:3]}")
    return results


def _handed_in(
    study: Study, manner: str, answer: Callable[[Assessment], object], keys: list[int]
) -> dict[str, object]:
    """Hand in questionnaires answered in this manner, two processes at once."""
    before = AuditEntry.objects.filter(chain=study.code).count()
    connections.close_all()
    began = perf_counter()
    with get_context("fork").Pool(N_PROCESSES) as pool:
        cpu_s = sum(pool.map(partial(_hand_in, answer), keys, chunksize=1))
    seconds = perf_counter() - began
    n_entries = AuditEntry.objects.filter(chain=study.code).count() - before
    return {
        "manner": manner, "sheets": len(keys), "seconds": seconds, "per_s": len(keys) / seconds,
        "entries_per_s": n_entries / seconds, "cpu_ms": 1000 * cpu_s / len(keys),
    }  # fmt: skip


def _hand_in(answer: Callable[[Assessment], object], key: int) -> float:
    """Begin, answer and hand in one questionnaire; return the processor time it took."""
    began = process_time()
    assessment = Assessment.objects.get(pk=key)
    begin_assessment(assessment=assessment)
    answer(assessment)
    submit_assessment(assessment=assessment)
    return process_time() - began


def _answer_each(assessment: Assessment) -> None:
    for item in instrument_named("cpss").items:
        save_answer(assessment=assessment, item_key=item.key, raw="2")


def _answer_all(assessment: Assessment) -> None:
    items = instrument_named("cpss").items
    save_answers(assessment=assessment, answers={item.key: "2" for item in items})
