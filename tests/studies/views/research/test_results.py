import pytest

from studies.models.study import StudyState
from studies.services.closing.locks import answer_unlocking, ask_to_unlock, lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import researcher_in, short_plan

pytestmark = pytest.mark.django_db

ARMS = ("CBT", "LSTM-ACM", "MCMG", "GAMC")


def study_with_outcomes(*people: str):
    study = make_study(protocol=short_plan())
    for stage in people:
        make_participant(stage, study=study)
    return study


def test_a_blinded_study_shows_everybody_together_and_says_so():
    study = study_with_outcomes("week4", "week4")
    page = researcher_in(study).get(f"/research/{study.code}/").content.decode()
    assert "This study is blinded." in page
    assert "All together" in page
    assert not [arm for arm in ARMS if arm in page]
    assert page.count('<svg class="chart"') == 2
    assert page.count("<title id=") == 2


def test_a_study_without_outcomes_yet_is_shown_all_the_same():
    study = make_study()
    page = researcher_in(study).get(f"/research/{study.code}/")
    assert page.status_code == 200


def test_unblinding_waits_for_the_end_and_wants_reason_and_code():
    study = study_with_outcomes("week8")
    client = researcher_in(study)
    address = f"/research/{study.code}/unblind/"
    assert "when its database is locked" in client.get(address).content.decode()
    client.post(address, {"reason": "curious", "code": study.code})
    study.refresh_from_db()
    assert study.state == StudyState.OPEN
    close_study(study=study, actor=SYSTEM, reason="all done")
    client.post(address, {"reason": "early", "code": study.code})
    study.refresh_from_db()
    assert study.state == StudyState.CLOSED
    lock_database(study=study, actor=SYSTEM)
    page = client.post(address, {"reason": "", "code": "NO"}).content.decode()
    assert "Enter a reason" in page
    assert "exactly as shown" in page
    answer = {"reason": "the analysis plan is signed", "code": study.code}
    assert client.post(address, answer).url == f"/research/{study.code}/"
    page = client.get(f"/research/{study.code}/").content.decode()
    assert not [arm for arm in ARMS if arm not in page]
    assert "This study is blinded." not in page


def test_no_arm_becomes_known_while_somebody_asks_to_open_the_database():
    study = make_study()
    client, address = researcher_in(study), f"/research/{study.code}/unblind/"
    close_study(study=study, actor=SYSTEM)
    asked = ask_to_unlock(
        lock=lock_database(study=study, actor=SYSTEM), reason="a wrong date", actor=SYSTEM
    )
    said = {"reason": "the data are complete", "code": study.code}
    assert "It has to be answered first" in client.post(address, said).content.decode()
    study.refresh_from_db()
    assert study.state == StudyState.LOCKED
    answer_unlocking(lock=asked, agrees=False, actor=SYSTEM)
    assert client.post(address, said).status_code == 302


def test_an_unblinded_export_still_needs_the_ability(client):
    study = study_with_outcomes()
    close_study(study=study, actor=SYSTEM, reason="all done")
    study.refresh_from_db()
    lock_database(study=study, actor=SYSTEM)
    unblind_study(study=study, actor=SYSTEM, reason="done")
    assert client.post(f"/research/{study.code}/export/").status_code == 302
