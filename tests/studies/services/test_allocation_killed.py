"""Many processes allocate the same people at once and are killed in the middle; on PostgreSQL."""

import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from studies.design.parts import ArmPlan, Factor, VisitPlan
from studies.design.protocol import Protocol, four_arms
from studies.design.randomisation import sequence
from studies.models.allocation import Allocation, AllocationStream
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Visit
from studies.services.allocation import _secret, rederive
from studies.services.trail.audit import verify_chain
from tests.factories import make_participant, make_study

PROGRAM = Path(__file__).with_name("allocating.py")
PLAN = replace(
    four_arms(1),
    arms=tuple(ArmPlan(code, "cbt") for code in "ABCD"),
    visits=(VisitPlan(0, ("cpss",)), VisitPlan(4, ("cpss",), 5)),
    factors=(Factor("sex", ("female", "male")),),
    block_sizes=(4, 8),
)
ROUNDS_AT_MOST = 40


def _worker(keys: list[int]) -> subprocess.Popen:
    settings = connection.settings_dict
    scheme, _slash, rest = os.environ["DATABASE_URL"].partition("://")
    base, query = (*rest.partition("?"), "")[0], rest.partition("?")[2]
    address = f"{scheme}://{base.rsplit('/', 1)[0]}/{settings['NAME']}"
    return subprocess.Popen(
        [sys.executable, PROGRAM, *map(str, keys)],
        env={**os.environ, "DATABASE_URL": f"{address}?{query}" if query else address},
        stdout=subprocess.PIPE,
        text=True,
    )


def _kill_in_the_middle(workers: list[subprocess.Popen], chance: random.Random) -> int:
    """Let each worker get ready, then kill them one after the other; return how many were busy."""
    for worker in workers:
        assert worker.stdout.readline().strip() == "ready"
    n_busy = 0
    for worker in workers:
        time.sleep(chance.uniform(0.0, 0.08))
        n_busy += worker.poll() is None
        worker.kill()
    for worker in workers:
        worker.communicate()
    return n_busy


def _finish(workers: list[subprocess.Popen]) -> None:
    for worker in workers:
        worker.communicate(timeout=300)
        assert worker.returncode == 0


def _waiting(study: Study) -> list[int]:
    return list(study.participants.filter(state="baseline_done").values_list("pk", flat=True))


def _shuffled(keys: list[int], chance: random.Random) -> list[int]:
    return chance.sample(keys, len(keys))


def _campaign(plan: Protocol, n_people: int, n_workers: int, n_rounds: int) -> Study:
    """Allocate everybody by processes of which all but the last round's are killed."""
    chance = random.Random(2025)  # noqa: S311 -- for the order only
    study = make_study(protocol=plan)
    sexes = ("female", "male") if plan.factors else (None,)
    for place in range(n_people):
        make_participant("baseline_done", study=study, sex=sexes[place % len(sexes)])
    n_killed = 0
    for _ in range(n_rounds):
        waiting = _waiting(study)
        if not waiting:
            break
        workers = [_worker(_shuffled(waiting, chance)) for _ in range(n_workers)]
        n_killed += _kill_in_the_middle(workers, chance)
    assert n_killed > 0
    everybody = list(study.participants.values_list("pk", flat=True))
    _finish([_worker(_shuffled(everybody, chance)) for _ in range(n_workers)])
    assert _waiting(study) == []
    return study


def _hold(study: Study, n_people: int) -> None:
    """No slot twice, none skipped, whole blocks even, everything in the trail."""
    assert Allocation.objects.filter(participant__study=study).count() == n_people
    assert rederive(study) == []
    assert verify_chain(study.code) == []
    states = Counter(study.participants.values_list("state", flat=True))
    assert states == {"allocated": n_people}
    # The follow-up visits come in the same transaction: everybody has one, nobody two.
    assert Visit.objects.filter(participant__study=study, week=4).count() == n_people
    for stream in AllocationStream.objects.filter(study=study):
        slots = list(Allocation.objects.filter(stream=stream).values_list("slot", flat=True))
        assert sorted(slots) == list(range(stream.next_slot))
    _hold_blocks(study)


def _hold_blocks(study: Study) -> None:
    plan = study.plan
    if plan.blocks is None:
        return
    for stream in AllocationStream.objects.filter(study=study, next_slot__gt=0):
        drawn = sequence(_secret(stream), stream.stratum, plan.blocks, stream.next_slot)
        size = Counter(slot.block for slot in drawn)
        given = Allocation.objects.filter(stream=stream).order_by("slot")
        arms: dict[int, Counter[str]] = defaultdict(Counter)
        for slot, arm in zip(drawn, given.values_list("arm__code", flat=True), strict=False):
            arms[slot.block][arm] += 1
        for block, counts in arms.items():
            share = size[block] // len(plan.arms)
            assert max(counts.values()) <= share
            # A block that is only begun can still become even.
            assert counts.total() < size[block] or set(counts.values()) == {share}


@pytest.fixture
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("row locks are tested on PostgreSQL; SQLite has one writer")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_dozen_people_and_processes_killed_twice(on_postgresql: None) -> None:
    _hold(_campaign(PLAN, n_people=12, n_workers=3, n_rounds=2), 12)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["blocks", "minimisation"])
def test_fifty_at_once_and_processes_killed_again_and_again(
    on_postgresql: None, method: str
) -> None:
    plan = PLAN if method == "blocks" else replace(PLAN, method=method)
    _hold(_campaign(plan, n_people=50, n_workers=10, n_rounds=ROUNDS_AT_MOST // 10), 50)
    assert Participant.objects.count() == 50
