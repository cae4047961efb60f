"""The house's shape, in the ordinary run: who points to whom, and what each process loads."""

import json
import subprocess
import sys

import pytest
from django.apps import apps
from django.conf import settings

ABOVE = {"questionnaires": {"studies", "generator"}, "generator": {"studies", "questionnaires"}}
CORES = [
    "generator.engine", "questionnaires.instruments", "studies.design", "studies.stats",
    "studies.typefaces",
]  # fmt: skip
# Imported in a fresh interpreter, since this one has long loaded everything.
LOADS = "import importlib, json, sys; {body}; print(json.dumps(sorted(sys.modules)))"
EVERY_MODULE = (
    "import pkgutil; core = importlib.import_module({core!r});"
    "names = [m.name for m in pkgutil.walk_packages(core.__path__, {core!r} + '.')];"
    "[importlib.import_module(name) for name in names]"
)
WEB = (
    "import django; django.setup(); importlib.import_module('therapy_site.urls');"
    "importlib.import_module('therapy_site.wsgi')"
)


def modules_after(body: str) -> set[str]:
    finished = subprocess.run(
        [sys.executable, "-c", LOADS.format(body=body)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(finished.stdout))


@pytest.mark.parametrize("label", sorted(ABOVE))
def test_foreign_keys_of_an_instrument_never_point_up_or_across(label):
    targets = {
        field.related_model._meta.app_label
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created
    }
    assert not targets & ABOVE[label]


@pytest.mark.parametrize("core", CORES)
def test_a_pure_core_loads_without_the_web(core):
    loaded = modules_after(EVERY_MODULE.format(core=core))
    assert not {"django", "celery", "psycopg2"} & loaded


def test_the_web_process_never_loads_torch():
    loaded = modules_after(WEB)
    assert "studies.views.clinic.study" in loaded
    # scipy.stats alone takes longer to load than the rest of the site; scipy.special will do.
    assert not {"torch", "scipy.stats", "generator.tasks"} & loaded


def test_the_scheduler_never_loads_torch():
    loaded = modules_after(
        "from therapy_site.celery import app; app.loader.import_default_modules()"
    )
    assert "django" in loaded
    assert not {"torch", "generator.tasks"} & loaded


def test_every_app_names_its_constraints_after_itself():
    for label in ("studies", "generator", "questionnaires"):
        for model in apps.get_app_config(label).get_models():
            for constraint in model._meta.constraints:
                assert constraint.name.startswith(f"{label}_{model._meta.model_name}_")
