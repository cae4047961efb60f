import pytest
from django.contrib.admin.sites import site
from django.urls import reverse

from questionnaires.models import Answer, ImportedInstrument, Response, Score, SiteWording
from tests.questionnaires import drafts
from tests.questionnaires.services.test_importing import bring

pytestmark = pytest.mark.django_db


def test_responses_can_be_read_but_not_added_changed_or_deleted(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    page = site._registry[Response]
    for inline in (page, *page.get_inline_instances(request)):
        assert not inline.has_add_permission(request, None)
        assert not inline.has_change_permission(request)
        assert not inline.has_delete_permission(request)


def test_answers_and_scores_have_no_page_of_their_own():
    assert Answer not in site._registry
    assert Score not in site._registry


def test_a_response_is_shown_with_its_answers(admin_client, settings):
    # An administrator with a second factor is the site's business, not this page's.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "second_factor" not in name]
    response = drafts.psqi_answered()
    page = admin_client.get(reverse("admin:questionnaires_response_change", args=[response.pk]))
    assert page.status_code == 200
    assert "street noise" in page.content.decode()


@pytest.mark.parametrize("model", [SiteWording, ImportedInstrument])
def test_what_a_site_loaded_can_be_read_and_not_changed(model, rf, admin_client, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "second_factor" not in name]
    bring()
    name = f"admin:questionnaires_{model._meta.model_name}"
    assert "mood" in admin_client.get(reverse(f"{name}_changelist")).content.decode()
    page = admin_client.get(reverse(f"{name}_change", args=[model.objects.get().pk]))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
