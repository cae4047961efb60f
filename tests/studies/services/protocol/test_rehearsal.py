import re
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studies.design.dry_run import Finding
from studies.design.eligibility import Rule
from studies.design.parts import Factor
from studies.design.protocol import four_arms
from studies.exceptions import StudyNotReady
from studies.models.study import Role, Study
from studies.services.protocol.members import put_on_call
from studies.services.protocol.rehearsal import WORDS, in_words, rehearse
from studies.services.protocol.setup import open_study, reasons_not_to_open
from studies.services.trail.audit import SYSTEM
from tests.factories import make_staff, make_study

pytestmark = pytest.mark.django_db


def test_a_dry_run_leaves_nothing_behind() -> None:
    study = make_study(is_open=False)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        run = rehearse(study)
    assert run.count("completed") > 20
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert not study.participants.exists()


def test_every_finding_has_words_and_every_word_its_value() -> None:
    names = {name for words in WORDS.values() for name in re.findall(r"%\((\w+)\)s", str(words))}
    values = dict.fromkeys(names, "x")
    for code in WORDS:
        assert "%" not in in_words(Finding(code, values))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"texts": four_arms().texts[:1]}, "no consent text in zh-hans"),
        ({"eligibility": (Rule("age_years", at_least=60),)}, "was eligible"),
        ({"factors": (Factor("site", ("N", "S"), "site"),)}, "sites are MAIN"),
        ({"method": "list", "block_sizes": ()}, "list is not imported"),
    ],
)
def test_what_the_dry_run_meets_stands_in_the_way_of_opening(
    changes: dict[str, object], words: str
) -> None:
    study = make_study(is_open=False, protocol=replace(four_arms(), **changes))
    assert any(words in reason for reason in reasons_not_to_open(study))
    with pytest.raises(StudyNotReady, match=words):
        open_study(study=study, actor=SYSTEM)
    assert Study.objects.get(pk=study.pk).state == "draft"


def test_an_instrument_is_called_by_its_name() -> None:
    finding = Finding("instrument_unknown", {"week": 4, "instrument": "psqi"})
    assert in_words(finding) == "week 4 asks for PSQI, which is not installed"


def test_a_study_without_anybody_on_call_does_not_open() -> None:
    study = make_study(is_open=False)
    member = study.memberships.get()
    assert member.is_on_call
    put_on_call(membership=member, actor=SYSTEM, is_on_call=False)
    assert reasons_not_to_open(study) == ["nobody is on call"]
    # Whoever may not look after safety answers no alert.
    researcher = make_staff(Role.RESEARCHER, study=study).memberships.get()
    put_on_call(membership=researcher, actor=SYSTEM, is_on_call=True)
    assert reasons_not_to_open(study) == ["nobody is on call"]
    put_on_call(membership=member, actor=SYSTEM, is_on_call=True)
    assert reasons_not_to_open(study) == []
