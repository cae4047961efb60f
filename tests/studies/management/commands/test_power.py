import pytest
from django.core.management import CommandError, call_command


def test_sizes_and_powers_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "power", "--difference", "-2", "--sd", "3.5", "--correlation", "0.55", "--power", "0.9",
        "--dropout", "0.15",
    )  # fmt: skip
    out = capsys.readouterr().out
    assert "t test: 65.333403 per arm for power 0.9" in out
    assert "randomise 55 per arm with 15% dropout" in out


def test_a_simulation_repeats_itself(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("power", "--difference", "3", "--sd", "3.5", "--n", "12", "--simulate", "20")
    call_command(*given)
    first = capsys.readouterr().out
    call_command(*given)
    assert capsys.readouterr().out == first
    assert "20 trials (seed 1, 0 failed)" in first


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(CommandError, match=r"StatisticsError.*larger sd"):
        call_command("power", "--difference", "2", "--sd", "0", "--n", "50")
