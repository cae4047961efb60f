"""The whole of a small study in a real browser: from an empty installation to a change rate."""

import csv
import hashlib
import io
import re
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers, steps
from tests.browser.conftest import Devices
from tests.browser.inside import ask
from tests.servers import Installation

pytestmark = pytest.mark.browser

STUDY, TITLE = "JOURNEY-1", "Sleep music in spring"
ARMS = {"CBT", "LSTM-ACM", "MCMG", "GAMC"}
HALF_OF_PSQI = "d_c"
N_OTHERS = 5
TASTE = {"style": "folk", "instrument": "harp", "tempo": "slow", "mode": "major"}
DIARY = {
    "into_bed": "22:45",
    "tried_to_sleep": "23:00",
    "latency_min": "25",
    "awakenings": "1",
    "wake_min": "10",
    "final_waking": "06:30",
    "out_of_bed": "06:45",
    "quality": "3",
}


def test_a_study_goes_from_an_invitation_to_a_change_rate(
    devices: Devices, installation: Installation
) -> None:
    names = ["clara", "ravi", "ada"]
    secrets = ask(installation, "make_team", names=names, administrator="ada")

    clinician = devices.desk()
    steps.sign_in_staff(clinician, "clara", secrets["clara"])
    steps.create_study(clinician, code=STUDY, title=TITLE, night_minutes=1)
    steps.open_study(clinician, STUDY)
    steps.add_member(clinician, STUDY, "ravi", "researcher")
    code, link = steps.invite(
        clinician, STUDY, name="Synthetic Person", contact="+44 20 7946 0001", language="en"
    )

    guardian_link = steps.name_guardian(clinician, STUDY, code)
    steps.permit(devices.phone(), guardian_link)

    a_mail_scanner_consumes_nothing(devices.phone(), link)
    phone = devices.phone()
    somebody_joins(phone, link)
    phone = devices.phone()
    baseline_goes_on_where_it_stopped(phone, link)

    steps.allocate(clinician, STUDY, code)
    # Before the others are allocated, so that their mixes do not wait in front of this one.
    phone.goto("/me/tonight/")
    kind = "cbt" if phone.url.endswith("/me/lessons/") else "music"
    others = ask(installation, "enrol_kinds", study=STUDY, at_least=N_OTHERS + 1)
    listener, learner = devices.phone(), devices.phone()
    for page, arm in ((listener, "music"), (learner, "cbt")):
        steps.enter_pin(page, link if arm == kind else link_of(installation, others[arm][0]))
    music_is_heard(listener)
    heard_by = code if kind == "music" else others["music"][0]["code"]
    assert ask(installation, "heard_s", code=heard_by) > 2
    skills_are_learnt(learner)

    something_happens(clinician, code, others["music"][-1]["code"], secrets["clara"])

    for _visit in ("week 4", "week 8"):
        installation.move_clock(days=28)
        steps.enter_pin(phone := devices.phone(), link)
        a_visit_is_answered(phone)
        others_answered = ask(installation, "answer_open_visits", study=STUDY, but=[code])
        assert others_answered >= 2 * N_OTHERS
    expect(phone.get_by_role("heading", name="You have finished the study")).to_be_visible()

    steps.sign(clinician, STUDY, code, secrets["clara"])
    steps.lock_everything_of(clinician, STUDY, code)

    researcher = devices.desk()
    steps.sign_in_staff(researcher, "ravi", secrets["ravi"])
    results_are_pooled(researcher)
    steps.close_study(clinician, STUDY)
    steps.lock_database(clinician, STUDY)
    steps.unblind(researcher, STUDY)
    results_are_by_arm(researcher)
    the_export_can_be_verified(researcher)
    steps.set_erasure_day(clinician, STUDY, "2100-01-01")
    the_archive_verifies_itself(installation)

    administrator = devices.desk()
    steps.sign_in_staff(administrator, "ada", secrets["ada"])
    the_machinery_is_seen(administrator)
    assert devices.complaints == []


def a_mail_scanner_consumes_nothing(page: Page, link: str) -> None:
    """Mail programs open links and press what they find; without a PIN that changes nothing."""
    for address in (link, f"{link}pin/"):
        assert page.request.get(address).ok
        assert page.request.post(address).status in {403, 405}
    page.goto(f"{link}pin/")
    steps.press(page, steps.CONTINUE)
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()


def somebody_joins(page: Page, link: str) -> None:
    """PIN, both languages, consent, and the first half of the questions about sleep."""
    steps.choose_pin(page, link)
    steps.switch_language(page)
    expect(page.locator("html")).to_have_attribute("lang", re.compile("zh"))
    steps.switch_language(page)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    steps.consent(page)
    expect(page.get_by_role("heading", name="Before you start")).to_be_visible()
    steps.begin(page, "Questions about your sleep")
    steps.answer(page, answers.PSQI, stop_before=HALF_OF_PSQI)


def baseline_goes_on_where_it_stopped(page: Page, link: str) -> None:
    """Another device knows nothing: link and PIN open it where the first one stopped."""
    steps.enter_pin(page, link)
    steps.begin(page, "Questions about your sleep")
    assert steps.item_of(page) == HALF_OF_PSQI
    steps.answer(page, answers.PSQI)
    steps.send_answers(page)
    steps.begin(page, "Questions about stress")
    steps.answer(page, answers.CPSS)
    steps.send_answers(page)
    steps.state_taste(page, **TASTE)
    expect(page.get_by_role("heading", name="Thank you, that is all for now")).to_be_visible()


def music_is_heard(page: Page) -> None:
    """Progress, then one button; one file of a minute, sent in ranges."""
    page.goto("/me/")
    steps.follow(page, "Music for tonight")
    steps.await_mix(page)
    audio = page.locator("#player audio").get_attribute("src")
    first_bytes = page.request.get(audio, headers={"Range": "bytes=0-999"})
    assert first_bytes.status == 206
    assert len(first_bytes.body()) == 1000
    page.wait_for_function("() => document.querySelector('audio').duration > 0")
    duration_s = page.evaluate("() => document.querySelector('audio').duration")
    assert duration_s == pytest.approx(60, abs=2)
    steps.listen(page, seconds=3)


def skills_are_learnt(page: Page) -> None:
    """The first lesson to its end, and this morning's diary."""
    page.goto("/me/tonight/")
    expect(page.get_by_role("heading", name="Sleep diary")).to_be_visible()
    steps.read_lesson(page)
    page.goto("/me/lessons/")
    page.locator(".tasks").first.get_by_role("link").first.click()
    steps.press(page, "Begin")
    steps.answer(page, DIARY)
    steps.send_answers(page)


def something_happens(clinician: Page, code: str, leaver: str, secret: str) -> None:
    """An adverse event, an arm told for it by a second factor, and somebody who leaves."""
    today = clinician.evaluate("() => new Date().toISOString().slice(0, 10)")
    steps.report_event(clinician, STUDY, code, today)
    assert steps.break_blind(clinician, STUDY, code, secret) in ARMS
    clinician.goto(clinician.url)
    expect(clinician.locator("dl.review")).to_have_count(0)
    steps.withdraw(clinician, STUDY, leaver)


def the_archive_verifies_itself(installation: Installation) -> None:
    """What is kept of the study holds all of it, and finds an alteration by itself."""
    file = str(installation.var / "archive.zip")
    installation.manage("archive_study", STUDY, "--out", file)
    installation.manage("verify_archive", file)


def a_visit_is_answered(page: Page) -> None:
    """A follow-up visit opens by the clock and is answered on the phone."""
    for name, sheet in (
        ("Questions about your sleep", answers.BETTER_PSQI),
        ("Questions about stress", answers.BETTER_CPSS),
    ):
        steps.begin(page, name)
        steps.answer(page, sheet)
        steps.send_answers(page)
    page.goto("/me/")


def results_are_pooled(page: Page) -> None:
    """While the study is blinded there is one group; fewer symptoms are a positive rate."""
    page.goto(f"/research/{STUDY}/")
    assert {row["arm"] for row in rows_of(page)} == {"All together"}
    later = [row for row in rows_of(page) if row["week"] != "Baseline"]
    assert len(later) == 4
    for row in later:
        assert int(row["n"]) >= int(row["pairs"]) > N_OTHERS
        for figure in ("mean", "change", "rate_of_means", "rate"):
            value, low, high = interval(row[figure])
            assert 0 < low <= value <= high


def results_are_by_arm(page: Page) -> None:
    """Once it is unblinded every arm has its rows."""
    page.goto(f"/research/{STUDY}/")
    arms = {row["arm"] for row in rows_of(page)}
    assert "CBT" in arms
    assert arms & {"LSTM-ACM", "MCMG", "GAMC"}
    assert "All together" not in arms


def rows_of(page: Page) -> list[dict[str, str]]:
    """Return the rows of both outcome tables."""
    names = ("arm", "week", "n", "mean", "sd", "pairs", "change", "rate_of_means", "rate")
    rows = page.locator("section.outcome tbody tr").all()
    return [dict(zip(names, row.locator("th, td").all_inner_texts(), strict=True)) for row in rows]


def interval(words: str) -> tuple[float, float, float]:
    """Read `3.4 (1.2 to 5.6)`, with or without per cent."""
    plain = words.replace("\N{MINUS SIGN}", "-")
    value, low, high = (float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", plain))
    return value, low, high


def the_export_can_be_verified(page: Page) -> None:
    """The ZIP has the items and the dictionary, and its checksums are right."""
    page.goto(f"/research/{STUDY}/")
    page.get_by_role("link", name="Export the data").click()
    page.get_by_role("button", name="Export the data").click()
    # The page follows the worker and shows the file when it is there.
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with ZipFile(download.value.path()) as archive:
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    for line in files["SHA256SUMS"].decode().splitlines():
        checksum, name = line.split(maxsplit=1)
        assert hashlib.sha256(files[name.lstrip("*")]).hexdigest() == checksum
    assert {"items.csv", "results.csv", "data_dictionary.csv", "README.txt"} <= set(files)
    items = list(csv.DictReader(io.StringIO(files["items.csv"].decode("utf-8-sig"))))
    assert len(items) >= 3 * (len(answers.PSQI) + len(answers.CPSS))


def the_machinery_is_seen(page: Page) -> None:
    """Participants by status, the queue and the workers, on the administration's front page."""
    page.goto("/admin/")
    content = page.locator("#content")
    for words in ("Render queue", "worker-1", f"{STUDY} · Unblinded", "Completed"):
        expect(content).to_contain_text(words)
    expect(content.get_by_text("Music worker: running")).to_be_visible()


def link_of(installation: Installation, person: dict[str, str]) -> str:
    """Return the address of somebody's private link."""
    return f"{installation.base_url}/p/{person['token']}/"
