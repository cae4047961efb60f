"""The names of the adjustments of a family of p values; `adjustment` computes them.

They stand apart because a web page offers them; computing them loads much more than naming them.
"""

from enum import StrEnum


class Adjustment(StrEnum):
    """How a family of p values is adjusted."""

    NONE = "none"
    BONFERRONI = "bonferroni"
    HOLM = "holm"
    HOCHBERG = "hochberg"
    HOMMEL = "hommel"
    BENJAMINI_HOCHBERG = "bh"
    BENJAMINI_YEKUTIELI = "by"
    DUNNETT = "dunnett"
    DUNNETT_STEP_DOWN = "dunnett_step_down"
