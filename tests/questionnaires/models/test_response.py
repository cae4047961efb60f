from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError

from questionnaires.exceptions import ResponseLocked
from questionnaires.models import Answer, Response, Score
from questionnaires.services import submit_response
from tests.questionnaires import drafts

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def psqi_draft():
    return drafts.psqi_draft()


@pytest.fixture
def psqi_answered():
    return drafts.psqi_answered()


@pytest.fixture
def submitted(psqi_answered):
    return submit_response(response=psqi_answered, at=LATER)


@pytest.mark.parametrize(
    "change",
    [
        lambda response: Response.objects.get(pk=response.pk).save(),
        lambda response: Response.objects.get(pk=response.pk).delete(),
        lambda response: Response.objects.filter(pk=response.pk).update(state="draft"),
        lambda _response: Response.objects.all().delete(),
        lambda response: response.answers.first().save(),
        lambda response: response.answers.first().save_in(response),
        lambda response: response.answers.first().save_in(drafts.psqi_draft()),
        lambda response: response.answers.first().delete(),
        lambda response: response.answers.update(value=0),
        lambda response: response.answers.all().delete(),
        lambda response: response.answers.create(item_key="x", answered_at=LATER),
        lambda response: response.scores.first().save(),
        lambda response: response.scores.update(value=0),
        lambda response: response.scores.all().delete(),
        lambda response: Score.objects.bulk_create([Score(response=response, name="x")]),
        lambda response: Score.objects.bulk_create_in(response, [Score(response=response)]),
        lambda response: Score.objects.bulk_create_in(
            drafts.psqi_draft(), [Score(response=response)]
        ),
        lambda response: response.seal(LATER),
        lambda response: Answer.objects.bulk_update([response.answers.first()], ["value"]),
    ],
)
def test_nothing_of_a_submitted_response_can_be_changed_through_the_models(submitted, change):
    before = list(Answer.objects.values()) + list(Score.objects.values())
    with pytest.raises(ResponseLocked), transaction.atomic():
        change(submitted)
    assert list(Answer.objects.values()) + list(Score.objects.values()) == before


def test_a_draft_with_answers_is_not_deleted_by_accident(psqi_answered):
    with pytest.raises(ProtectedError):
        psqi_answered.delete()


def test_the_database_keeps_one_answer_an_item(psqi_draft):
    psqi_draft.answers.create(item_key="d_a", raw="1", value=1, answered_at=LATER)
    with pytest.raises(IntegrityError), transaction.atomic():
        psqi_draft.answers.create(item_key="d_a", raw="2", value=2, answered_at=LATER)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"state": "submitted"}, "submitted_has_its_time"),
        ({"submitted_at": LATER}, "submitted_has_its_time"),
        (
            {"state": "submitted", "submitted_at": LATER - timedelta(days=1)},
            "submitted_after_start",
        ),
        # Two constraints forbid it, and each database names another first.
        ({"revision": 0}, "revision_from_one|correction_has_author_and_reason"),
    ],
)
def test_the_database_refuses_a_response_that_contradicts_itself(psqi_draft, changes, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Response.objects.filter(pk=psqi_draft.pk).update(**changes)


def test_no_table_points_to_people_or_trials():
    for model in (Response, Answer, Score):
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey):
                assert field.related_model._meta.app_label == "questionnaires"
