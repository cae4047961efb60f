"""Sample size and power: by formula, and by simulating the real analysis."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.stats.design.power import n_for, power_ancova, power_dunnett, power_t, whole
from studies.stats.design.simulation import Scenario, simulate_power
from studies.stats.errors import StatisticsError
from studies.stats.family import Adjustment


class Command(BaseCommand):
    """Prints power, or the participants per arm that it takes."""

    help = "Sample size and power of arms against a reference (docs/statistics.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--difference", type=float, required=True, help="points, at the end")
        parser.add_argument("--sd", type=float, required=True, help="SD of the scores, in points")
        parser.add_argument("--correlation", type=float, default=0.5, help="of any two visits")
        parser.add_argument("--arms", type=int, default=4, help="arms, the reference included")
        parser.add_argument(
            "--dropout", type=float, default=0.0, help="share without the last visit"
        )
        parser.add_argument("--alpha", type=float, default=0.05, help="two-sided")
        asked = parser.add_mutually_exclusive_group(required=True)
        asked.add_argument("--n", type=int, help="participants randomised per arm")
        asked.add_argument("--power", type=float, dest="wanted", help="power wanted")
        parser.add_argument("--simulate", type=int, default=0, metavar="TRIALS")
        parser.add_argument("--visits", type=int, default=2, help="follow-up visits simulated")
        parser.add_argument(
            "--adjust", choices=[str(rule) for rule in Adjustment], default="holm",
            help="of the simulated contrasts",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, **options: Any) -> None:
        """Print one line a result."""
        try:
            n = options["n"] or self._sizes(options)
            self._powers(n, options)
            if options["simulate"]:
                self._simulated(n, options)
        except StatisticsError as error:
            raise CommandError(f"{type(error).__name__} [{error.code}]: {error}") from error

    def _sizes(self, options: dict[str, Any]) -> int:
        """Print the participants per arm by each test; return those of covariance analysis."""
        difference, sd, alpha = abs(options["difference"]), options["sd"], options["alpha"]
        rho, wanted, dropout = options["correlation"], options["wanted"], options["dropout"]
        tests = {
            "t test": lambda n: power_t(n, difference, sd, alpha=alpha),
            "covariance analysis": lambda n: power_ancova(n, difference, sd, rho, alpha=alpha),
        }
        found = {name: n_for(power, wanted) for name, power in tests.items()}
        for name, n in found.items():
            self.stdout.write(
                f"{name}: {n:.6f} per arm for power {wanted:g}; randomise "
                f"{whole(n, dropout=dropout)} per arm with {dropout:.0%} dropout"
            )
        return whole(found["covariance analysis"], dropout=dropout)

    def _powers(self, n: int, options: dict[str, Any]) -> None:
        difference, sd, alpha = abs(options["difference"]), options["sd"], options["alpha"]
        rho, n_others = options["correlation"], options["arms"] - 1
        left = n * (1 - options["dropout"])
        self.stdout.write(f"with {n} per arm randomised, {left:.1f} analysed:")
        for name, power in {
            "t test": power_t(left, difference, sd, alpha=alpha),
            "covariance analysis": power_ancova(left, difference, sd, rho, alpha=alpha),
            f"Dunnett, one of {n_others} arms": power_dunnett(
                left, difference, sd, n_others, alpha=alpha
            ),
        }.items():
            self.stdout.write(f"  {name}: power {power:.8f}")

    def _simulated(self, n: int, options: dict[str, Any]) -> None:
        effects = {
            f"arm {place + 2}": options["difference"] for place in range(options["arms"] - 1)
        }
        scenario = Scenario(
            n, effects, options["sd"], options["correlation"], options["visits"], options["dropout"]
        )
        found = simulate_power(
            scenario, options["simulate"], adjust=Adjustment(options["adjust"]),
            alpha=options["alpha"], seed=options["seed"],
        )  # fmt: skip
        mean = sum(found.by_arm.values()) / len(found.by_arm)
        self.stdout.write(
            f"simulated, mixed model with Kenward-Roger, {options['adjust']}, {found.n_trials} "
            f"trials (seed {options['seed']}, {found.n_failed} failed):"
        )
        self.stdout.write(f"  one arm: power {mean:.4f}")
        self.stdout.write(f"  any arm: power {found.any_arm:.4f} (SE {found.standard_error:.4f})")
