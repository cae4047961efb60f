import doctest

import pytest

from questionnaires.instruments import clock, plausibility, spoken_time


@pytest.mark.parametrize("module", [clock, plausibility, spoken_time], ids=lambda m: m.__name__)
def test_the_examples_in_the_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
