"""The read side: where a response stands, words, score tables, rows for exports."""

from questionnaires.models import definition_keys, definition_named
from questionnaires.selectors.responses import (
    Place,
    Progress,
    answers_of,
    asked_and_declined,
    asked_answers_of,
    declined_items,
    first_unanswered,
    newest_revision,
    older_revisions,
    place_of,
    progress,
    revisions_of,
    shown_answer,
)
from questionnaires.selectors.tables import (
    DictionaryRow,
    ItemRow,
    dictionary_rows,
    flag_table,
    item_rows,
    score_table,
    scores_and_flags,
)
from questionnaires.selectors.wording import (
    functional_instruments,
    wording_for,
    wording_of,
)

__all__ = [
    "DictionaryRow",
    "ItemRow",
    "Place",
    "Progress",
    "answers_of",
    "asked_and_declined",
    "asked_answers_of",
    "declined_items",
    "definition_keys",
    "definition_named",
    "dictionary_rows",
    "first_unanswered",
    "flag_table",
    "functional_instruments",
    "item_rows",
    "newest_revision",
    "older_revisions",
    "place_of",
    "progress",
    "revisions_of",
    "score_table",
    "scores_and_flags",
    "shown_answer",
    "wording_for",
    "wording_of",
]
