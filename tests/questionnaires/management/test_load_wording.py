import io
import json

import pytest
from django.core.management import CommandError, call_command

from questionnaires.instruments.cpss import CPSS
from questionnaires.models import SiteWording
from tests.questionnaires.instruments.test_site_wording import filled

pytestmark = pytest.mark.django_db


def run(*arguments, **options):
    out = io.StringIO()
    call_command("load_wording", *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cpss.json"
    path.write_text(json.dumps(filled(CPSS, "zh-hans"), ensure_ascii=False), "utf-8")
    return path


def test_a_template_is_written_filled_in_and_loaded(file, tmp_path):
    empty = tmp_path / "empty.toml"
    run("psqi", empty, language="zh_Hans", template=True)
    assert 'language = "zh-hans"' in empty.read_text("utf-8")
    with pytest.raises(CommandError, match="expected a new file to write to"):
        run("psqi", empty, language="zh_Hans", template=True)
    said = run("cpss14", file, language="zh-Hans", licence="Letter 17")
    row = SiteWording.objects.get()
    assert said == f"cpss 1 in zh-hans: loaded, {row.sha256}\n"
    again = run("cpss", file, language="zh-hans", licence="Letter 17")
    assert again == f"cpss 1 in zh-hans: in force already, {row.sha256}\n"


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (["isi", "x.toml"], {}, "got 'isi'"),
        (["cpss"], {}, "the following arguments are required: file"),
        (["cpss", "x.toml"], {}, "expected a wording file, got .*x.toml"),
        (["cpss", "x.toml"], {"language": "fr"}, r"language of the site \(en, zh-hans\), got 'fr'"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(*arguments, **options)


def test_a_file_without_licence_or_for_another_language_loads_nothing(file):
    with pytest.raises(CommandError, match="expected a licence note"):
        run("cpss", file, language="zh-hans")
    with pytest.raises(CommandError, match="expected language = 'en', got 'zh-hans'"):
        run("cpss", file, licence="Letter 17")
    assert not SiteWording.objects.exists()


def test_the_options_may_stand_before_the_file_as_the_help_shows_them(file):
    call_command(
        "load_wording", "cpss", "--language", "zh-hans", str(file), "--licence", "Letter 17",
        stdout=io.StringIO(),
    )  # fmt: skip
    assert SiteWording.objects.get().language == "zh-hans"
