"""Answers and responses that the questionnaires' tests share."""

from datetime import UTC, datetime, timedelta

import pytest

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


@pytest.fixture
def psqi_draft():
    return start_response(instrument="psqi", language="en", at=MORNING)


@pytest.fixture
def psqi_answered(psqi_draft):
    for minutes, (item_key, raw) in enumerate(PSQI_ANSWERS.items()):
        save_answer(
            response=psqi_draft,
            item_key=item_key,
            raw=raw,
            at=MORNING + timedelta(minutes=minutes),
            elapsed_ms=5000,
        )
    return psqi_draft
