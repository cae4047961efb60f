import pytest

from questionnaires.instruments.garbled import has_lost_words, is_garbled


@pytest.mark.parametrize(
    "text",
    [
        "你好".encode().decode("latin-1"),
        "ä½ å¥½",
        "ä½ å¥½ (hello)",
        "ä½ å¥½ 睡眠",
        "æœˆä»½",
        "Ã©tÃ©",
        "a\x00b",
        "caf\N{REPLACEMENT CHARACTER}",
    ],
)
def test_words_that_were_opened_in_another_encoding_are_recognised(text):
    assert is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "最近一个月",
        "你去café了吗\N{FULLWIDTH QUESTION MARK}",
        "玛丽·居里",
        "“不好”……真的——不好",
        "Jürgen schläft groß \N{EN DASH} immer",
        "un café \N{EN DASH} noir",
        "un café… puis deux",
        "un café  noir",
        "il dit à « Paul »",
        "« café »",
        "AMANHÃ É BOM",
        "line one\nline two",
    ],
)
def test_honest_texts_in_many_languages_are_left_alone(text):
    assert not is_garbled(text)


@pytest.mark.parametrize("text", ["??? ????", "??3???", "PSQI ????????", "Had you ??? sleep?"])
def test_question_marks_in_place_of_words_are_recognised(text):
    assert has_lost_words(text)


@pytest.mark.parametrize(
    "text", ["?", "Why??", "Does it help? Would you say so?", "睡得好吗\N{FULLWIDTH QUESTION MARK}"]
)
def test_questions_are_no_lost_words(text):
    assert not has_lost_words(text)
