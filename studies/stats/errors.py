"""The refusals of the statistics: what was expected, what came, what to do."""


class StatisticsError(ValueError):
    """Values that statistics cannot be made of."""

    code = "unusable_values"


class NotEstimable(StatisticsError):
    """There is too little, or too much the same, to estimate this from; the message says what."""

    code = "not_estimable"


class TooFewObservations(NotEstimable):
    """There are fewer people or values than the model has unknowns."""

    code = "too_few_observations"


class NotConverged(StatisticsError):
    """The likelihood has no maximum that can be reached; the message says where it stopped."""

    code = "not_converged"


class PlanError(StatisticsError):
    """An analysis plan that does not say what its schema asks for."""

    code = "plan"


class TableError(StatisticsError):
    """A table of the trial that cannot be read as one; the message names line and column."""

    code = "table"

    def __init__(self, message: str, *, code: str = "table") -> None:
        self.code = code
        super().__init__(message)
