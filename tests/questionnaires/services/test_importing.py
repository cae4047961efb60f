from datetime import UTC, datetime

import pytest

from questionnaires.exceptions import KeptForever
from questionnaires.instruments.errors import (
    DictionaryRefused,
    InstrumentError,
    UnknownInstrument,
    WordingMismatch,
)
from questionnaires.models import ImportedInstrument, SiteWording
from questionnaires.selectors import (
    definition_keys,
    definition_named,
    dictionary_rows,
    functional_instruments,
    item_rows,
    score_table,
    wording_for,
    wording_of,
)
from questionnaires.services import save_answer, start_response, submit_response
from questionnaires.services.importing import import_instrument
from tests.questionnaires.instruments.test_redcap import MOOD, SCORING, dictionary

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RENAMED = [*MOOD[:2], MOOD[2] | {"label": "Mood now"}, *MOOD[3:]]


def bring(rows=MOOD, **options):
    options = {"key": "mood", "language": "en", "licence": "Letter 17"} | options
    return import_instrument(
        dictionary=dictionary(rows), name="mood.csv", by="site", at=NOW, scoring=SCORING, **options
    )


def test_an_imported_instrument_is_answered_and_scored_like_any_other():
    bring()
    response = start_response(instrument="mood", language="en", at=NOW)
    assert (response.version, response.rule_id) == ("1", "mood_sum")
    for key, raw in {"m1": "1", "m2": "0", "m3": "2", "m4": "3", "bed": "23:30"}.items():
        save_answer(response=response, item_key=key, raw=raw, at=NOW)
    submit_response(response=response, at=NOW)
    assert score_table([response.pk])[response.pk]["total"] == 9
    assert [row.item_key for row in item_rows([response.pk])] == ["m1", "m2", "m3", "m4", "bed"]
    assert "mood" in definition_keys()


def test_its_words_are_the_sites_and_missing_in_other_languages():
    bring()
    assert wording_of("mood", "en").items["m1"].label == "Mood 1"
    assert "mood" not in functional_instruments("en")
    assert "mood" in functional_instruments("zh-hans")
    # A page in the other language still has words.
    assert wording_of("mood", "zh-hans").language == "en"
    labels = [row.label for row in dictionary_rows(definition_named("mood"), "zh-hans")]
    assert "Mood 1" in labels


def test_the_same_file_again_changes_nothing_and_another_language_adds_words():
    assert bring().is_new
    assert not bring().is_new
    chinese = [row | {"label": f"心情 {row['name']}"} for row in MOOD]
    assert bring(chinese, language="zh-hans").is_new
    assert ImportedInstrument.objects.count() == 1
    assert wording_of("mood", "zh-hans").items["m1"].label == "心情 m1"
    assert SiteWording.objects.count() == 2


def test_a_changed_file_is_a_new_version_and_begun_responses_keep_theirs():
    bring()
    begun = start_response(instrument="mood", language="en", at=NOW)
    result = bring(MOOD[:-1])
    assert result.instrument.version == "2"
    assert len(begun.definition.items) == 10
    assert len(definition_named("mood").items) == 9
    assert "pain" in wording_for(begun).items
    assert "pain" not in wording_of("mood", "en").items


def test_changed_words_alone_are_no_new_version_but_need_leave_when_in_use():
    bring()
    assert bring(RENAMED).instrument.version == "1"
    start_response(instrument="mood", language="en", at=NOW)
    with pytest.raises(Exception, match="1 responses were begun"):
        bring()
    assert bring(replace=True).is_new


def test_keys_of_ours_and_names_that_are_none_are_refused():
    for key in ("psqi", "cpss14", "Mood", "m", "x" * 33, "mood scale"):
        with pytest.raises(DictionaryRefused, match="expected a key"):
            bring(key=key)
    with pytest.raises(UnknownInstrument, match=r"psqi.*got 'mood'"):
        definition_named("mood")


def test_what_does_not_fit_leaves_nothing_behind():
    with pytest.raises(WordingMismatch, match="licence note"):
        bring(licence="")
    with pytest.raises(InstrumentError):
        bring([*MOOD, {"name": "a", "type": "file", "label": "A"}])
    with pytest.raises(DictionaryRefused, match="rule of your own"):
        import_instrument(
            key="mood",
            dictionary=dictionary(MOOD),
            name="mood.csv",
            language="en",
            licence="Letter",
            by="site",
            at=NOW,
            scoring=SCORING.replace(b"mood_sum", b"pitt2005"),
        )
    assert not ImportedInstrument.objects.exists()
    assert not SiteWording.objects.exists()


def test_an_imported_version_is_kept_as_it_is():
    row = bring().instrument
    with pytest.raises(KeptForever):
        row.save()
    with pytest.raises(KeptForever):
        row.delete()
