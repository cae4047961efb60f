import pytest
from django.apps import apps
from django.contrib import admin
from django.test import RequestFactory

from studies.admin import ReadOnlyAdmin
from studies.models.audit import AuditEntry
from studies.models.user import User
from tests.factories import PASSWORD
from tests.studies.views.browsers import desk_of

SECRET = {"ContactDetails", "Allocation", "AllocationStream", "PrivateLink"}
TELLS_THE_ARM = {"PlaylistAssignment", "ListeningSession", "LessonProgress", "DiaryEntry", "Arm"}


def test_neither_contacts_nor_allocation_nor_what_tells_an_arm_is_registered() -> None:
    registered = {model.__name__ for model in admin.site._registry}
    known = {model.__name__ for model in apps.get_app_config("studies").get_models()}
    assert known >= (SECRET | TELLS_THE_ARM)
    assert not (SECRET | TELLS_THE_ARM) & registered


def test_trial_data_can_be_looked_at_and_not_touched() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_staff=True)
    ours = {
        model: page
        for model, page in admin.site._registry.items()
        if model._meta.app_label == "studies" and model is not User
    }
    assert len(ours) >= 8
    for page in ours.values():
        assert isinstance(page, ReadOnlyAdmin)
        assert not page.has_add_permission(request)
        assert not page.has_change_permission(request)
        assert not page.has_delete_permission(request)
        assert page.has_view_permission(request)


@pytest.mark.django_db
def test_an_account_made_or_changed_in_the_administration_is_in_the_trail() -> None:
    chief = User.objects.create_superuser("chief", password=PASSWORD)
    desk = desk_of(chief)
    passwords = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    desk.post("/admin/studies/user/add/", {"username": "newcomer", **passwords})
    newcomer = User.objects.get(username="newcomer")
    page = f"/admin/studies/user/{newcomer.pk}/change/"
    date = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    desk.post(page, {"username": "newcomer", "is_staff": "on", **date})
    made, changed = AuditEntry.objects.filter(chain="site", subject_id=newcomer.pk)
    assert (made.action, made.actor, made.new["is_staff"]) == ("create_account", "chief", False)
    assert (changed.action, changed.new["is_staff"]) == ("change_account", True)
    assert "is_staff" in changed.new["changed"]
    assert PASSWORD not in f"{made.new}{changed.new}"
