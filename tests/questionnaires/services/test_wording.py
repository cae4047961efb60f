import json
from datetime import UTC, datetime, timedelta

import pytest

from questionnaires.exceptions import KeptForever, NaiveMoment, WordingInUse
from questionnaires.forms import ItemForm
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import WordingMismatch, WordsNotLoaded
from questionnaires.models import Response, SiteWording
from questionnaires.selectors import functional_instruments, wording_for, wording_of
from questionnaires.services import save_answer, start_response
from questionnaires.services.wording import load_wording
from tests.questionnaires.instruments.test_site_wording import filled

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def load(tmp_path):
    def run(label="Made-up question", at=NOW, language="en", **options):
        content = filled(CPSS, language)
        content["items"]["item_1"]["label"] = label
        file = tmp_path / "cpss.json"
        file.write_text(json.dumps(content))
        return load_wording(
            instrument=CPSS,
            language=language,
            file=file,
            licence="Letter 17",
            by="site",
            at=at,
            **options,
        )

    return run


def first_label(wording):
    return wording.items["item_1"].label


def begin(at=NOW, language="en"):
    return start_response(instrument="cpss", language=language, at=at)


def test_a_sites_words_take_the_place_of_the_functional_labels(load):
    assert wording_of("cpss", "en").functional
    row, is_new = load()
    assert is_new
    wording = wording_of("cpss", "en")
    assert (first_label(wording), wording.functional) == ("Made-up question", False)
    assert wording.sha256 == row.sha256
    assert (row.licence, row.loaded_by, row.loaded_at) == ("Letter 17", "site", NOW)
    assert wording_of("cpss", "zh-hans").functional
    assert "cpss" not in functional_instruments("en")
    assert "cpss" in functional_instruments("zh-hans")


def test_the_same_words_again_change_nothing(load):
    first, _ = load()
    again, is_new = load()
    assert (again.pk, is_new) == (first.pk, False)


def test_words_that_nobody_answered_to_may_be_corrected(load):
    load("With a tpyo")
    load("Without a typo")
    assert first_label(wording_of("cpss", "en")) == "Without a typo"
    assert SiteWording.objects.count() == 2


def test_words_in_use_are_not_changed_silently(load):
    load("Old")
    begin()
    with pytest.raises(WordingInUse, match=r"1 responses were begun .* --replace"):
        load("New")
    assert first_label(wording_of("cpss", "en")) == "Old"
    load("New", replace=True)
    assert first_label(wording_of("cpss", "en")) == "New"
    load("Old", replace=True)
    assert first_label(wording_of("cpss", "en")) == "Old"


def test_our_own_labels_are_words_in_use_too(load):
    begin()
    with pytest.raises(WordingInUse):
        load()


def test_a_response_that_was_begun_keeps_its_words(load):
    before = begin()
    load("Old", replace=True)
    begun = begin()
    load("New", replace=True)
    assert first_label(wording_for(begun)) == "Old"
    assert first_label(wording_for(begin())) == "New"
    assert wording_for(before).functional
    answer = save_answer(response=begun, item_key="item_1", raw="2", at=NOW).answer
    assert answer.wording_hash == begun.wording_hash
    form = ItemForm(CPSS, CPSS.item("item_1"), "en", wording=wording_for(begun))
    assert form.words.label == "Old"


def test_the_words_of_a_begun_response_are_looked_up_once(load, django_assert_num_queries):
    before = begin()
    load("Old", replace=True)
    begun = begin()
    assert first_label(wording_for(begun)) == "Old"
    load("New", replace=True)
    with django_assert_num_queries(0):
        assert first_label(wording_for(begun)) == "Old"
        assert wording_for(before).functional


def test_labels_of_an_older_version_are_stood_in_for_by_ours():
    old = begin()
    Response.objects.filter(pk=old.pk).update(wording_hash="0" * 64)
    old.refresh_from_db()
    assert wording_for(old).functional


def test_words_that_are_nowhere_are_asked_for_from_the_backup():
    lost = begin()
    lost.language = "fr"
    with pytest.raises(WordsNotLoaded, match=r"in fr .* got none\. Restore them"):
        wording_for(lost)


def test_another_language_midway_shows_the_words_of_the_day_it_began(load):
    load("旧", language="zh-hans")
    begun = begin(at=NOW + timedelta(days=1))
    load("新", language="zh-hans", at=NOW + timedelta(days=2), replace=True)
    assert first_label(wording_for(begun, "zh-hans")) == "旧"
    assert first_label(wording_for(begin(at=NOW + timedelta(days=3)), "zh-hans")) == "新"


def test_loaded_words_are_kept_as_they_are(load):
    row, _ = load()
    row.licence = "none"
    with pytest.raises(KeptForever):
        row.save()
    with pytest.raises(KeptForever):
        row.delete()
    with pytest.raises(KeptForever):
        SiteWording.objects.update(licence="none")
    with pytest.raises(KeptForever):
        SiteWording.objects.all().delete()


def test_a_file_that_does_not_fit_or_is_absent_changes_nothing(load, tmp_path):
    with pytest.raises(WordingMismatch, match="expected words for label"):
        load("")
    with pytest.raises(WordingMismatch, match="No such file"):
        load_wording(
            instrument=CPSS,
            language="en",
            file=tmp_path / "absent.toml",
            licence="Letter 17",
            by="site",
            at=NOW,
        )
    with pytest.raises(NaiveMoment):
        load(at=datetime(2026, 3, 2))  # noqa: DTZ001 - what must be refused
    assert not SiteWording.objects.exists()
