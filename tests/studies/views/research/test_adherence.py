"""The pages of adherence and recruitment, for researchers too, tell no arm."""

import pytest
from django.urls import reverse

from tests.factories import make_participant, make_study
from tests.studies.views.browsers import researcher_in, short_plan
from tests.studies.views.test_blinding import ARM_WORDS, KIND_WORDS

pytestmark = pytest.mark.django_db


def test_a_researcher_sees_who_takes_part_and_no_arm():
    study = make_study(protocol=short_plan())
    people = [make_participant("allocated", study=study) for _ in range(2)]
    desk = researcher_in(study)
    for name in ("adherence", "recruitment"):
        page = desk.get(reverse(f"studies:{name}", args=[study.code])).content.decode()
        assert ARM_WORDS.findall(page) == []
        assert KIND_WORDS.findall(page) == []
    page = desk.get(reverse("studies:adherence", args=[study.code])).content.decode()
    assert all(person.code in page for person in people)
    page = desk.get(reverse("studies:recruitment", args=[study.code])).content.decode()
    assert "of 200 planned" in page
