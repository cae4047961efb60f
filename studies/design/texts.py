"""The consent text that a new study starts with, in every language of the site."""

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent / "wording"
LANGUAGES = ("en", "zh-hans")


def consent_pages(language: str) -> list[dict[str, str]]:
    """Return the template's pages, each with a title and a body, one idea a page.

    Parameters
    ----------
    language : str
        ``en`` or ``zh-hans``.
    """
    pages = _template(language)["pages"]
    return [{"title": page["title"], "body": page["body"].strip()} for page in pages]


def consent_questions(language: str) -> list[dict[str, object]]:
    """Return the template's questions on its pages, with options, right answer and page."""
    return _template(language)["questions"]


def _template(language: str) -> dict[str, list[dict[str, object]]]:
    path = FOLDER / f"consent.{language.replace('-', '_')}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
