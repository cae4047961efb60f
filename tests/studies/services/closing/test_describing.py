"""The arms of a study as they are reported, before and after unblinding."""

import pytest
from django.core.management import CommandError, call_command

from generator.engine.composers.releases import composers_name
from studies.models.study import Study, StudyState
from studies.services.closing.describing import describe_arms
from tests.factories import make_participant, make_study
from tests.studies.services.learning import take_lesson
from tests.studies.views.browsers import plan_of_one_kind, short_plan

pytestmark = pytest.mark.django_db


def test_a_blinded_studys_sheets_tell_what_is_planned_and_of_nobody(capsys) -> None:
    study = make_study(protocol=short_plan())
    make_participant("allocated", study=study)
    page = describe_arms(study)
    assert f"Rendered with built-in 2, composers {composers_name()}." in page
    assert page.count("Told when the study is unblinded.") == len(study.plan.arms)
    call_command("describe_arms", study.code)
    assert "## LSTM-ACM" in capsys.readouterr().out
    with pytest.raises(CommandError, match="A study was expected"):
        call_command("describe_arms", "NONE")


def test_an_unblinded_studys_sheets_tell_what_was_delivered() -> None:
    learner = make_participant("allocated", study=make_study(protocol=plan_of_one_kind("cbt")))
    take_lesson(learner)
    Study.objects.filter(pk=learner.study.pk).update(state=StudyState.UNBLINDED)
    page = describe_arms(Study.objects.get(pk=learner.study.pk))
    assert "1 of 1 allocated people began." in page
    assert "0 of 0 allocated people began. 0 lessons were finished." in page
