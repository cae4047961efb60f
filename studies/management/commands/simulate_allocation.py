"""Simulate a study's method of allocation: balance, and how often the next arm is guessed."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.design.errors import DesignError
from studies.design.simulation import SimulationReport, StratumBalance, simulate
from studies.models.study import Study

PARTICIPANTS, TRIALS, SEED = 200, 1000, 1


class Command(BaseCommand):
    """Many simulated trials, each with a seed of its own; no real slot is looked at."""

    help = "Simulate a study's allocation; the same seed prints the same report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="a study's code")
        parser.add_argument(
            "--participants", type=int, help="people a trial; as planned without it"
        )
        parser.add_argument("--trials", type=int, default=TRIALS)
        parser.add_argument("--seed", type=int, default=SEED)

    def handle(
        self, *, code: str, participants: int | None, trials: int, seed: int, **_options: object
    ) -> None:
        """Print the report."""
        study = Study.objects.filter(code=code).first()
        if study is None:
            raise CommandError(f"A study was expected, got {code!r}.")
        n_participants = participants or study.plan.participants_planned or PARTICIPANTS
        try:
            report = simulate(study.plan, n_participants=n_participants, n_trials=trials, seed=seed)
        except DesignError as error:
            raise CommandError(str(error)) from error
        self._tell(report)

    def _tell(self, report: SimulationReport) -> None:
        spread = report.overall
        self.stdout.write(
            f"{report.method}: {report.n_trials} trials of {report.n_participants} people, "
            f"seed {report.seed}"
        )
        self.stdout.write(
            f"largest arm less the smallest: mean {spread.mean:.1f}, 95 of 100 {spread.p95:.1f}, "
            f"at most {spread.highest:g}"
        )
        self.stdout.write(
            f"right guesses: {report.guessed_in_stratum:.1%} counting the stratum, "
            f"{report.guessed_in_study:.1%} counting the study, {report.chance:.1%} by chance"
        )
        self.stdout.write(f"trials in which a sequence ran out: {report.exhausted:.1%}")
        for arm, mean in report.arm_means:
            self.stdout.write(f"  {arm}: {mean:.1f} people on average")
        for row in (*report.levels, *report.strata):
            self._row(row)

    def _row(self, row: StratumBalance) -> None:
        self.stdout.write(
            f"  {row.label or 'everybody'}: {row.n_mean:.1f} people, range mean "
            f"{row.spread.mean:.1f}, 95 of 100 {row.spread.p95:.1f}, at most {row.spread.highest:g}"
        )
