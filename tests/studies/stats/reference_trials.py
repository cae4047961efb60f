"""The reference trials as arrays and as designs of the models that R fitted to them."""

import csv
from functools import cache

import numpy as np
from numpy.typing import NDArray

from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.references import FOLDER

ARMS = ("CBT", "LSTM_ACM", "MCMG", "GAMC")


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a data set."""
    with (FOLDER / f"{name}.csv").open() as file:
        return tuple(csv.DictReader(file))


def numbers(name: str, *keys: str) -> NDArray[np.float64]:
    """Return columns as an array, shape (n, n_keys); an empty field is NaN."""
    return np.array([[float(row[key] or "nan") for key in keys] for row in table(name)])


def factor(name: str, key: str, levels: tuple[str, ...] = ()) -> Factor:
    """Return a column of labels as a factor."""
    values = [row[key] for row in table(name)]
    levels = levels or tuple(sorted(set(values)))
    return Factor(key, np.array([levels.index(value) for value in values]), levels)


def trial_of_200(outcome: str) -> tuple[Design, NDArray[np.float64]]:
    """Return s03 with y ~ base * visit + site + sex + arm * visit."""
    base = Covariate("base", numbers("s03_sim200", f"{outcome}_0")[:, 0])
    outcomes = numbers("s03_sim200", f"{outcome}_4", f"{outcome}_8")
    terms = [
        Term(Intercept(len(outcomes)), OWN), Term(base, OWN), Term(factor("s03_sim200", "site")),
        Term(factor("s03_sim200", "sex")), Term(factor("s03_sim200", "arm", ARMS), OWN),
    ]  # fmt: skip
    return Design(terms, ("4", "8")), outcomes


def trial_of_28() -> tuple[Design, NDArray[np.float64]]:
    """Return s04 with y ~ base + arm * visit."""
    base = Covariate("base", numbers("s04_small28", "psqi_0")[:, 0])
    outcomes = numbers("s04_small28", "psqi_4", "psqi_8", "psqi_24")
    arm = factor("s04_small28", "arm", ARMS)
    terms = [Term(Intercept(len(outcomes)), OWN), Term(base), Term(arm, OWN)]
    return Design(terms, ("4", "8", "24")), outcomes


def trial_of_computer_cbt() -> tuple[Design, NDArray[np.float64]]:
    """Return s02 with y ~ base + drug + length + arm * visit."""
    base = Covariate("base", numbers("s02_btheb", "bdi_0")[:, 0])
    outcomes = numbers("s02_btheb", "bdi_2", "bdi_3", "bdi_5", "bdi_8")
    terms = [
        Term(Intercept(len(outcomes)), OWN), Term(base), Term(factor("s02_btheb", "drug")),
        Term(factor("s02_btheb", "length")),
        Term(factor("s02_btheb", "arm", ("TAU", "BtheB")), OWN),
    ]  # fmt: skip
    return Design(terms, ("2", "3", "5", "8")), outcomes


def hard_trial() -> tuple[Design, NDArray[np.float64]]:
    """Return s10 with y ~ arm * visit over ten visits."""
    rows = table("s10_hard")
    ids = sorted({int(row["id"]) for row in rows})
    outcomes, arm = np.full((len(ids), 10), np.nan), np.zeros(len(ids), dtype=int)
    for row in rows:
        place = ids.index(int(row["id"]))
        outcomes[place, int(row["visit"]) - 1] = float(row["y"])
        arm[place] = int(row["trt"])
    terms = [Term(Intercept(len(ids)), OWN), Term(Factor("trt", arm, ("0", "1")), OWN)]
    return Design(terms, tuple(str(visit) for visit in range(1, 11))), outcomes
