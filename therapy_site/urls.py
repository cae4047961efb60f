"""The URL map of the whole site, on one screen."""

from django.contrib import admin
from django.urls import include, path

from therapy_site import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("theme/", views.choose_theme, name="theme"),
    path("admin/", admin.site.urls),
    # Before allauth's own page, which mails a link that an installation without mail cannot send.
    path("accounts/password/reset/", views.password_lost, name="password_lost"),
    path("accounts/", include("allauth.urls")),
    path("", include("studies.urls")),
]
