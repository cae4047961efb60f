"""What a page needs to ask an item and to show the answers before they are handed in."""

from questionnaires.forms.flags import flag_texts
from questionnaires.forms.item import ItemForm
from questionnaires.forms.review import (
    AskedBack,
    ReviewRow,
    answer_text,
    night_words,
    plausibility,
    read_back,
    review_rows,
)
from questionnaires.forms.sheet import Sheet

__all__ = [
    "AskedBack",
    "ItemForm",
    "ReviewRow",
    "Sheet",
    "answer_text",
    "flag_texts",
    "night_words",
    "plausibility",
    "read_back",
    "review_rows",
]
