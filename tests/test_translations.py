"""Every message of the product is there in Chinese, complete, and in words that people know."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.template import Template, engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation

from tests.translations import ROOT, stale

APPS = ("questionnaires", "generator", "studies", "therapy_site")
CATALOGUE = "locale/zh_Hans/LC_MESSAGES/django.po"
# Which argument of a call is the context, and which the message.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"), (None, 0)),
    **dict.fromkeys(("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"), (0, 1)),
}
FIELD = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}")
HAN = re.compile(r"[\u4e00-\u9fff]")
# Words on pages of participants and staff alike; a sentence that is read in bed is short.
LONGEST_MEAN_SENTENCE = 20

Key = tuple[str | None, str]


@pytest.mark.parametrize("app", APPS)
def test_the_catalogue_holds_exactly_the_messages_of_the_source(app):
    messages = {key(entry) for entry in catalogue(app) if not entry.obsolete}
    source = set(messages_in_python(app)) | set(messages_in_templates(app))
    assert messages - source == set(), "no longer in the source: run makemessages"
    assert source - messages == set(), "not in the catalogue: run makemessages"


@pytest.mark.parametrize("app", APPS)
def test_no_message_is_untranslated_or_in_doubt(app):
    assert [entry.msgid for entry in catalogue(app) if entry.fuzzy or not entry.translated()] == []


@pytest.mark.parametrize("app", APPS)
def test_the_compiled_messages_are_those_of_the_catalogue(app):
    assert not stale(ROOT / app / CATALOGUE)


@pytest.mark.parametrize("app", APPS)
def test_translations_keep_the_fields(app):
    for entry in catalogue(app):
        for text in texts(entry):
            assert fields(text) == fields(entry.msgid_plural or entry.msgid), text


# Epilepsy, which staff ask about by its name.
MEDICAL = set("癫痫")


def test_one_message_reads_the_same_in_every_app():
    # Django merges the catalogues of all apps into one, so the first app would win everywhere.
    known: dict[Key, str] = {}
    for app in APPS:
        for entry in catalogue(app):
            (text,) = texts(entry)
            assert known.setdefault(key(entry), text) == text


def test_translations_use_common_characters():
    unusual = {
        sign
        for app in APPS
        for entry in catalogue(app)
        for text in texts(entry)
        for sign in HAN.findall(text)
        if not is_common(sign)
    }
    assert unusual == MEDICAL


def test_an_uncommon_character_is_told_from_a_common_one():
    assert is_common("睡")
    assert not is_common("\u9f98")


def test_sentences_are_short_on_average():
    sentences = [
        sentence
        for app in APPS
        for entry in catalogue(app)
        for text in texts(entry)
        for sentence in re.split(r"[\u3002\uff1f\uff01\uff1b\uff1a]", text)
        if HAN.search(sentence)
    ]
    assert sum(map(len, sentences)) / len(sentences) <= LONGEST_MEAN_SENTENCE


@pytest.mark.parametrize("app", APPS)
def test_a_message_comes_out_in_chinese(app):
    entry = next(e for e in catalogue(app) if not (e.msgctxt or e.msgid_plural or "%" in e.msgid))
    with translation.override("zh-hans"):
        assert translation.gettext(entry.msgid) == entry.msgstr


def test_every_language_but_the_source_language_has_catalogues():
    languages = {translation.to_locale(code) for code, _name in settings.LANGUAGES}
    for app in APPS:
        found = {path.parent.parent.name for path in ROOT.glob(f"{app}/locale/*/LC_MESSAGES/*.po")}
        assert found == languages - {settings.LANGUAGE_CODE}


def catalogue(app: str) -> polib.POFile:
    return polib.pofile(str(ROOT / app / CATALOGUE))


def key(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def fields(text: str) -> list[str]:
    return sorted(FIELD.findall(text))


def is_common(sign: str) -> bool:
    """Tell whether a character is of the first level of GB 2312, the 3755 in daily use."""
    try:
        row = sign.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    return 0xB0 <= row <= 0xD7


def messages_in_python(app: str) -> Iterator[Key]:
    for path in (ROOT / app).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in CALLS:
                context, message = CALLS[node.func.id]
                words = [argument.value for argument in node.args[: message + 1]]
                yield (None if context is None else words[context]), words[message]


def messages_in_templates(app: str) -> Iterator[Key]:
    for path in (ROOT / app).rglob("templates/**/*.html"):
        yield from messages_in_template(path)


def messages_in_template(path: Path) -> Iterable[Key]:
    source = path.read_text(encoding="utf-8")
    nodelist = Template(source, engine=engines["django"].engine).nodelist
    for node in nodelist.get_nodes_by_type(TranslateNode):
        # Percent signs are doubled on the way to the catalogue, as Django does.
        yield context_of(node), node.filter_expression.var.literal.replace("%", "%%")
    for node in nodelist.get_nodes_by_type(BlockTranslateNode):
        yield context_of(node), node.render_token_list(node.singular)[0]


def context_of(node: TranslateNode | BlockTranslateNode) -> str | None:
    return node.message_context.var if node.message_context else None
