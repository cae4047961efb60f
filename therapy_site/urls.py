"""The URL map of the whole site, on one screen."""

from django.contrib import admin
from django.urls import include, path

from therapy_site import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("theme/", views.choose_theme, name="theme"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("studies.urls")),
]
