"""Responses that the questionnaires' tests share, made by the services themselves."""

from datetime import UTC, datetime, timedelta

from questionnaires.models import Response
from questionnaires.services import save_answer, start_response

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PSQI_ANSWERS = {
    "bed": "22:15",
    "latency_min": "10",
    "rise": "06:30",
    "sleep_h": "7:00",
    "d_a": "1",
    "d_b": "2",
    "d_c": "0",
    "d_d": "0",
    "d_e": "0",
    "d_f": "1",
    "d_g": "1",
    "d_h": "1",
    "d_i": "0",
    "d_j_reason": "street noise",
    "d_j": "2",
    "quality": "1",
    "meds": "0",
    "awake": "1",
    "enthusiasm": "0",
}


def psqi_draft() -> Response:
    """Return a PSQI that was begun and has no answer."""
    return start_response(instrument="psqi", language="en", at=MORNING)


def psqi_answered() -> Response:
    """Return a PSQI with every item answered: the published case with a total of 5."""
    response = psqi_draft()
    for minutes, (item_key, raw) in enumerate(PSQI_ANSWERS.items()):
        save_answer(
            response=response,
            item_key=item_key,
            raw=raw,
            at=MORNING + timedelta(minutes=minutes),
            elapsed_ms=5000,
        )
    return response
