"""Why a night is not made, beyond what is wrong with one score: no good draw, no such renderer."""

from generator.engine.audio.limits import Row, in_words
from generator.engine.errors import SynthesisError


class UnfitMusic(SynthesisError):
    """The music fails lines of its profile; `rows` are those that failed."""

    code = "quality"

    def __init__(self, rows: list[Row], n_draws: int = 1) -> None:
        draws = "in one draw" if n_draws == 1 else f"in {n_draws} draws"
        super().__init__(
            f"music that passes quality control was expected, got {draws} none: {in_words(rows)}. "
            "Compose again with another seed."
        )
        self.rows = rows


class MasterLost(SynthesisError):
    """A mastered night cannot be encoded any more; rendered from its brief it can be."""


class PinUnmet(SynthesisError):
    """The machine cannot render as the study has fixed it, and nothing else will do."""

    code = "pin"
