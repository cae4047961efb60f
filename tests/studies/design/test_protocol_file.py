import re
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.errors import ProtocolFaults
from studies.design.parts import (
    ArmPlan,
    ConsentWording,
    Factor,
    Method,
    MusicProfile,
    Page,
    VisitPlan,
)
from studies.design.protocol import Protocol, four_arms
from studies.design.protocol_file import BYTES_MAX, flat, read, write

# Spaces at the ends are the reader's business: a title or a body is never blank.
TEXT = st.text(min_size=1, max_size=60).filter(str.strip)


def test_the_template_survives_the_file_with_its_hash() -> None:
    plan = four_arms(45)
    assert read(write(plan)) == plan
    assert read(write(plan)).sha256 == plan.sha256


def test_the_file_is_complete_and_tells_each_subject_in_a_section_of_its_own() -> None:
    plain = tomllib.loads(write(four_arms()))
    assert set(plain) == {
        "format", "name", "participants_planned", "two_people_open", "allocation", "music",
        "arms", "visits", "eligibility", "reminders", "safety", "cbt", "texts", "questions",
        "consent", "treatment_weeks",
    }  # fmt: skip
    assert plain["allocation"]["method"] == "blocks"
    assert plain["allocation"]["factors"][0]["levels"] == ["female", "male", "other"]
    assert set(plain["texts"]) == {"en", "zh-hans"}
    assert plain["cbt"]["window"]["floor_min"] == 420


def test_every_setting_survives_the_file() -> None:
    plan = replace(
        four_arms(),
        method=Method.MINIMISATION,
        distance="variance",
        chance_percent=70,
        block_sizes=(),
        factors=(
            Factor("site", ("A", "B"), "site"),
            Factor("age", ("12-14", "15-18"), "band", "age_years", (15,)),
            Factor("stress", ("26-32", "33 or more"), "band", "cpss_total", (33,)),
        ),
        music=MusicProfile(60.0, ("jazz", "folk"), 2, ("mp3", "musicxml")),
        cbt=None,
    )
    assert read(write(plan)) == plan


@given(TEXT, TEXT, TEXT)
def test_any_text_survives_the_file(name: str, title: str, body: str) -> None:
    wording = ConsentWording("en", (Page(title, body), Page(body, title)))
    plan = replace(four_arms(), name=name, texts=(wording,))
    assert read(write(plan)) == plan


@given(st.binary(max_size=200))
def test_what_is_no_protocol_is_refused_and_never_breaks(content: bytes) -> None:
    with pytest.raises(ProtocolFaults):
        read(content.decode("utf-8", errors="replace"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "format 1"),
        ("format = 2", "got 2"),
        ("format = 1", "expected name, got nothing"),
        ("format = 1\nallocation = 3", "section"),
        ("arms = [", "cannot be read"),
        ("x = " + "[" * 5000, "cannot be read"),
        ("#" * (BYTES_MAX + 1), "at most"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(ProtocolFaults, match=words):
        read(text)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    """Ten mistakes of different kinds: each one has its sentence."""
    plain = flat(write(four_arms()))
    plain["arms"][0]["kind"] = "surgery"
    plain["visits"].append({"week": 9, "instruments": ["psqi"], "window_days": 5})
    plain["block_sizes"] = [4]
    plain["slots_per_stratum"] = 0
    plain["eligibility"].append({"fact": "age_years", "at_least": 40})
    plain["eligibility"].append({"fact": "isi_total", "at_least": 8})
    plain["night_minutes"] = "long"
    plain["texts"][0]["pages"][0]["body"] = " "
    plain["distance"] = "far"
    plain["surprise"] = 1
    with pytest.raises(ProtocolFaults) as refusal:
        Protocol.from_json(plain)
    said = "\n".join(refusal.value.faults)
    mistakes = """\
        cbt or music|week 8 ± 5 and week 9 ± 5|1 to 5000 slots|somebody can meet|isi_total
        whole number|body on every consent page|range, variance|'surprise'"""
    for words in re.split(r"\||\n\s*", mistakes.strip()):
        assert words in said, said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"visits": (VisitPlan(0, ("psqi",)), VisitPlan(1, ("psqi",), 7))}, "after allocation"),
        (
            {"visits": (*four_arms().visits, VisitPlan(9, ("psqi",), 3))},
            "week 8 ± 5 and week 9 ± 3",
        ),
        ({"method": "simple"}, "no factors"),
        ({"method": "coin"}, "a method of"),
        ({"method": "minimisation", "chance_percent": 100}, "50 to 95"),
        ({"factors": (Factor("a", ("x", "y"), "band", "height", (150,)),)}, "baseline tells"),
        (
            {"factors": (Factor("a", ("x", "y"), "band", "age_years", (12,)),)},
            "among the eligible",
        ),
        ({"factors": (Factor("a", ("x", "y")), Factor("a", ("u", "v")))}, "different names"),
        ({"arms": (*four_arms().arms, ArmPlan("CBT", "cbt"))}, "code of its own"),
        ({"texts": four_arms().texts * 2}, "each language once"),
    ],
)
def test_parts_that_contradict_one_another_are_refused(
    changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ProtocolFaults, match=words):
        replace(four_arms(), **changes)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Factor("a=b", ("x", "y")), "equals sign"),
        (lambda: Factor("a", ("x", "y"), "guessed"), "a source of"),
        (lambda: Factor("a", ("x", "y"), "band", "age_years"), "a fact and cuts"),
        (lambda: Factor("a", ("x", "y"), "band", "age_years", (16, 15)), "one fewer"),
        (lambda: MusicProfile(120.0), "tempo ceiling"),
        (lambda: MusicProfile(60.0, ("metal",)), "styles of"),
        (lambda: MusicProfile(nights_ahead=0), "1 to 7 nights ahead, got 0"),
        (lambda: MusicProfile(nights_ahead=8), "1 to 7 nights ahead, got 8"),
        (lambda: MusicProfile(nights_ahead=2.5), "1 to 7 nights ahead, got 2.5"),
        (lambda: MusicProfile(downloads=("wav",)), "downloads of mp3, midi, musicxml"),
        (lambda: MusicProfile(downloads=("mp3", "mp3")), "each once"),
        (lambda: ConsentWording("en", ()), "one or more consent pages"),
    ],
)
def test_a_part_that_cannot_be_is_refused(build: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_levels_are_told_as_soon_as_what_they_rest_on_is_known() -> None:
    plan = replace(
        four_arms(),
        factors=(
            Factor("sex", ("female", "male")),
            Factor("site", ("A", "B"), "site"),
            Factor("stress", ("low", "high"), "band", "cpss_total", (33,)),
        ),
        block_sizes=(8, 12),
        method=Method.MINIMISATION,
    )
    early = plan.levels_of({"sex": "male"}, "B", {"age_years": 15})
    assert early == {"sex": "male", "site": "B"}
    for score, level in ((32, "low"), (33, "high")):
        assert plan.levels_of(early, "B", {"cpss_total": score})["stress"] == level
