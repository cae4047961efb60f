"""`manage.py render_status [--json]`: the queue, its workers and its failures."""

import json
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand

from generator.selectors import (
    FailureRow,
    QueueDepth,
    RefusalRow,
    WorkerRow,
    failures,
    queue_depth,
    refusals,
    workers,
)


class Command(BaseCommand):
    """Say how long the queue is, who works on it, and what failed."""

    help = "Say how long the queue of renders is, who works on it, and what failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form of the answer and how many failures it names."""
        parser.add_argument("--json", action="store_true", help="Print everything as JSON.")
        parser.add_argument("--failures", type=int, default=10, help="At most so many, newest.")

    def handle(self, *_args: object, **options: object) -> None:
        """Read the rows and print them; nothing is changed."""
        depth, at_work, failed = queue_depth(), workers(), failures(options["failures"])
        refused = refusals()
        if options["json"]:
            facts = {
                "queue": asdict(depth),
                "workers": [asdict(row) for row in at_work],
                "failures": [asdict(row) for row in failed],
                "refusals": [asdict(row) for row in refused],
            }
            self.stdout.write(json.dumps(facts, indent=1, default=str))
        else:
            self.stdout.write("\n".join([*_lines(depth, at_work, failed), *_refused(refused)]))


def _lines(depth: QueueDepth, at_work: list[WorkerRow], failed: list[FailureRow]) -> list[str]:
    age = f", the oldest for {depth.oldest_age_s:.0f} s" if depth.oldest_age_s is not None else ""
    states = ", ".join(f"{n} {state}" for state, n in depth.by_state.items() if n)
    lines = [
        f"Queue     {depth.n_waiting} waiting{age}; {depth.n_working} in work; "
        f"{depth.n_failed} failed; {depth.n_mastered} mastered, to be encoded",
        f"States    {states or 'no playlist was ever asked for'}",
    ]
    lines += [
        f"Worker    {row.name}: {row.state.value}, seen {row.age_s:.0f} s ago, {row.device}, "
        f"queues {row.queues}, {_speed(row)}"
        for row in at_work
    ] or ["Worker    none is running"]
    lines += [
        f"Failure   {row.playlist_id} [{row.code}] after {row.attempts} attempts: {row.sentence}"
        for row in failed
    ]
    return lines


def _refused(refused: list[RefusalRow]) -> list[str]:
    return [f"Refused   {row.playlist_id} by {row.sentence}" for row in refused]


def _speed(row: WorkerRow) -> str:
    if row.times_real_time is None:
        return "no mix yet"
    return f"{row.times_real_time:.0f} x real time"
