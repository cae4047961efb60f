"""Prepare the demonstration: one running and one finished study of synthetic people."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from generator.models.playlist import Playlist
from generator.selectors import WorkerState, workers
from generator.services.rendering import render_next
from studies import clock
from studies.design.synthetic import person
from studies.models.lock import LooseKind
from studies.models.study import ArmKind, Role, Study
from studies.models.user import User
from studies.services.allocation import arm_kind_of, arm_of
from studies.services.closing.locks import lock_database
from studies.services.demonstration.trial import Carried, Mixes, Script, carry
from studies.services.entry.access import set_pin
from studies.services.entry.enrolment import reissue_link
from studies.services.protocol.members import add_member
from studies.services.protocol.setup import close_study, create_study, open_study, unblind_study
from studies.services.trail.audit import Actor, staff
from studies.services.treatment import is_in_treatment

# Fewer than a dozen leave no room for everything that can happen to somebody.
PARTICIPANTS, LEAST_PARTICIPANTS, MOST_PARTICIPANTS = 24, 12, 1000
ZONE = "Asia/Shanghai"
NIGHT_MINUTES = 1
SEED = 20251
PIN = "274918"
SIGN_INS = "demo-sign-ins.txt"
PASSWORD = "quiet-evening-music"  # noqa: S105 -- of the demonstration's own accounts
# The administrator sees the administration; the others see their studies.
STAFF = {
    "clinician": Role.PRINCIPAL_INVESTIGATOR,
    "coordinator": Role.COORDINATOR,
    "therapist": Role.THERAPIST,
    "assessor": Role.ASSESSOR,
    "researcher": Role.RESEARCHER,
    "monitor": Role.MONITOR,
    "administrator": Role.ADMINISTRATOR,
}
RENDER_PATIENCE_S = 300


class Command(BaseCommand):
    """Synthetic people, the product's own services, eight weeks in seconds."""

    help = "Prepare a running and a finished study of synthetic people (demonstration mode only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--participants", type=int, default=PARTICIPANTS, help="people in each study"
        )
        parser.add_argument(
            "--if-absent", action="store_true", help="say nothing when it is there already"
        )

    def handle(self, *, participants: int, if_absent: bool, **_options: object) -> None:
        """Prepare what is not there yet, and tell how to sign in."""
        if not settings.NOCTURNE_MOVABLE_CLOCK:
            raise CommandError(
                "Demonstration or test mode was expected, this installation is real. Start one "
                "with ./run demo."
            )
        if not LEAST_PARTICIPANTS <= participants <= MOST_PARTICIPANTS:
            raise CommandError(
                f"{LEAST_PARTICIPANTS} to {MOST_PARTICIPANTS} participants were expected, "
                f"got {participants}."
            )
        suffix = "" if participants == PARTICIPANTS else f"-{participants}"
        if Study.objects.filter(code=f"DEMO-RUNNING{suffix}").exists():
            if not if_absent:
                self.stdout.write(self._sign_ins_file().read_text(encoding="utf-8"))
            return
        if any(worker.state != WorkerState.SILENT for worker in workers()):
            raise CommandError(
                "A stopped installation was expected, this one is running: its scheduler would "
                "close the visits of past weeks before their people answer. Stop it with Ctrl-C, "
                "run this again, and start it."
            )
        began = time.monotonic()
        accounts = {name: self._account(name) for name in STAFF}
        mixes = Mixes(render=self._render)
        random = np.random.default_rng([SEED, participants])
        self._finished(f"DEMO-FINISHED{suffix}", participants, accounts, mixes, random)
        carried = self._running(f"DEMO-RUNNING{suffix}", participants, accounts, mixes, random)
        self._tell(_to_try(carried, staff(accounts["clinician"])))
        self.stdout.write(f"Prepared in {time.monotonic() - began:.0f} s.")

    def _finished(
        self,
        code: str,
        n: int,
        accounts: dict[str, User],
        mixes: Mixes,
        random: np.random.Generator,
    ) -> None:
        """Carry a study to its end, close and unblind it."""
        now = clock.now()
        began_at = _in_office(now - timedelta(weeks=12), 0)
        with clock.at(began_at):
            study = self._open(code, "Sleep music, a finished study", accounts)
        scripts = [
            Script(
                person(random),
                _in_office(began_at + timedelta(days=1 + 10 * place / n), place),
                _language(place),
            )
            for place in range(n)
        ]
        for place, change in ((5, {"stops_at": "withdrawn"}), (n - 3, {"misses_week": 8})):
            scripts[place] = replace(scripts[place], **change)
        closed_at = _in_office(now - timedelta(days=4), 0)
        actor = staff(accounts["clinician"])
        self._say(f"{code}: {n} people through eight weeks ...")
        carry(study=study, scripts=scripts, actor=actor, mixes=mixes, until=closed_at)
        with clock.at(closed_at):
            close_study(study=study, actor=actor, reason="the last visit's window has closed")
        with clock.at(_in_office(now - timedelta(days=3), 0)):
            left_open = dict.fromkeys(LooseKind, "synthetic people: there is nobody to ask")
            lock_database(study=study, actor=actor, reasons=left_open)
            unblind_study(
                study=study,
                actor=staff(accounts["researcher"]),
                reason="data collection is complete and the data were checked",
            )

    def _running(
        self,
        code: str,
        n: int,
        accounts: dict[str, User],
        mixes: Mixes,
        random: np.random.Generator,
    ) -> list[Carried]:
        """Carry a study up to now; people are at every step of the way."""
        now = clock.now()
        began_at = _in_office(now - timedelta(days=58), 0)
        with clock.at(began_at):
            study = self._open(code, "Sleep music, a running study", accounts)
        early = n - 4
        scripts = [
            Script(
                person(random),
                _in_office(
                    began_at + timedelta(days=1) + place * timedelta(days=50) / early, place
                ),
                _language(place),
            )
            for place in range(early)
        ]
        scripts[2] = replace(scripts[2], misses_week=4)
        scripts[3] = replace(scripts[3], stops_at="declined")
        scripts[4] = Script(person(random, is_calm=True), scripts[4].joins_at)
        scripts += [
            Script(
                person(random), _in_office(now - timedelta(days=3), 1), "zh-hans", "baseline_done"
            ),
            Script(person(random), _in_office(now - timedelta(days=2), 5), "en", "baseline_done"),
            Script(person(random), now - timedelta(hours=20), "en", "consented"),
            Script(person(random), now - timedelta(hours=1), "en", "invited"),
        ]
        actor = staff(accounts["clinician"])
        self._say(f"{code}: {n} people up to today ...")
        carried = carry(study=study, scripts=scripts, actor=actor, mixes=mixes, until=now)
        for one in carried:
            one.participant.refresh_from_db()
            if _has_music(one):
                mixes.tonight(one.participant, arm_of(one.participant).composer)
        return carried

    def _open(self, code: str, title: str, accounts: dict[str, User]) -> Study:
        actor = staff(accounts["clinician"])
        study = create_study(
            code=code,
            title=title,
            zone=ZONE,
            night_minutes=NIGHT_MINUTES,
            actor=actor,
            is_synthetic=True,
        )
        for name, role in STAFF.items():
            add_member(study=study, user=accounts[name], role=role, actor=actor)
        return open_study(study=study, actor=actor)

    def _account(self, name: str) -> User:
        """Return a demonstration account with its second factor, made if need be."""
        account = User.objects.filter(username=name).first()
        if account is not None:
            return account
        account = User.objects.create_user(
            name,
            password=PASSWORD,
            is_staff=name == "administrator",
            is_superuser=name == "administrator",
        )
        TOTP.activate(account, generate_totp_secret())
        RecoveryCodes.activate(account)
        return account

    def _render(self, playlist: Playlist) -> None:
        """Make a mix here and now, unless a worker has begun it already."""
        self._say(f"composing and rendering {playlist.brief['minutes']:g} min of music ...")
        patience = time.monotonic() + RENDER_PATIENCE_S
        worker = f"demo-{uuid4().hex[:8]}"
        while not playlist.is_final and time.monotonic() < patience:
            if render_next(worker=worker, playlist_id=playlist.pk) is None:
                time.sleep(0.5)
            playlist.refresh_from_db()

    def _tell(self, links: list[tuple[str, str]]) -> None:
        lines = [
            "Nocturne, demonstration: every person here is synthetic.",
            "",
            f"Staff: {_address('/accounts/login/')}",
            *(f"  {name:14} password {PASSWORD}" for name in STAFF),
            "  The second factor's code is shown on the page that asks for it.",
            "",
            f"Participants: open a link; the PIN is {PIN}.",
            *(f"  {what:34} {_address(f'/p/{token}/')}" for what, token in links),
        ]
        text = "\n".join(lines) + "\n"
        file = self._sign_ins_file()
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        self.stdout.write(text)

    def _sign_ins_file(self) -> Path:
        return settings.NOCTURNE_VAR / SIGN_INS

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _to_try(carried: list[Carried], actor: Actor) -> list[tuple[str, str]]:
    """Return a few links worth opening; all but the fresh one are given anew, with the PIN set.

    Nobody else of the synthetic people signs in: hashing a PIN well takes a fifth of a second.
    """
    found = {
        "music tonight": next((c for c in carried if _has_music(c)), None),
        "lessons and sleep diary": _furthest([c for c in carried if _has_lessons(c)]),
        "questions of the first day": next(
            (c for c in carried if c.participant.state == "consented"), None
        ),
    }
    links = []
    for what, one in found.items():
        if one is not None:
            token = reissue_link(participant=one.participant, actor=actor)
            set_pin(token=token, pin=PIN)
            links.append((what, token))
    return [*links, ("fresh invitation, choose a PIN", carried[-1].token)]


def _has_music(one: Carried) -> bool:
    return is_in_treatment(one.participant) and arm_kind_of(one.participant) == ArmKind.MUSIC


def _has_lessons(one: Carried) -> bool:
    return is_in_treatment(one.participant) and arm_kind_of(one.participant) == ArmKind.CBT


def _furthest(learners: list[Carried]) -> Carried | None:
    """Return whoever has come furthest in the lessons."""
    return max(learners, key=lambda one: one.participant.lessons.count(), default=None)


def _in_office(moment: datetime, place: int) -> datetime:
    """Return a time between nine and three of the moment's day, on the study's own clock."""
    day = moment.astimezone(ZoneInfo(ZONE)).date()
    at = time_of_day(9 + place % 6, 11 * place % 60)
    return datetime.combine(day, at, tzinfo=ZoneInfo(ZONE))


def _language(place: int) -> str:
    return "zh-hans" if place % 3 == 1 else "en"


def _address(path: str) -> str:
    return f"http://localhost:{settings.NOCTURNE_PORT}{path}"
