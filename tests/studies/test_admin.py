from django.apps import apps
from django.contrib import admin
from django.test import RequestFactory

from studies.admin import ReadOnlyAdmin
from studies.models.user import User

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
