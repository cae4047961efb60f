"""Answering on a phone that loses its connection, and the morning in six taps."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers, steps
from tests.browser.conftest import Devices
from tests.browser.gallery import CLINICIAN
from tests.browser.inside import ask
from tests.servers import Installation

pytestmark = pytest.mark.browser

STUDY = "ANSWERING"
KEPT = "Object.keys(localStorage).filter(name => name.startsWith('kept:')).length"
SHELL_ONLY = re.compile(r"^https?://[^/]+/(static/|me/offline/)")
EVERYTHING_KEPT = """
async () => {
  const names = await caches.keys();
  const pages = await Promise.all(names.map(async name => (await caches.open(name)).keys()));
  return pages.flat().map(request => request.url);
}
"""
TAPS = [1, 0, 3, 4, 3, 2]


@pytest.fixture(scope="module")
def study(installation: Installation, team: dict[str, str]) -> str:
    """An open study, with somebody on call."""
    assert CLINICIAN in team
    members = {CLINICIAN: "principal_investigator"}
    return ask(installation, "make_study", code=STUDY, title="Answers", members=members)


@pytest.fixture
def person(installation: Installation, study: str) -> dict[str, str]:
    """Somebody who may begin their questions."""
    return ask(installation, "enrol", study=study, as_far_as="consented")


def begin(phone: Page, person: dict[str, str], task: str = "Questions about your sleep") -> None:
    steps.enter_pin(phone, f"/p/{person['token']}/")
    steps.begin(phone, task)
    phone.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    phone.wait_for_load_state("networkidle")


def test_answers_given_without_a_connection_are_sent_once_in_their_order(
    devices: Devices, installation: Installation, person: dict[str, str]
) -> None:
    phone = devices.phone()
    begin(phone, person)
    steps.answer(phone, answers.PSQI, stop_before="latency_min")
    expect(phone.get_by_text("You go to bed at 23:30: half past eleven at night.")).to_be_visible()
    phone.context.set_offline(True)
    notice = phone.locator("#kept")
    for item in ("latency_min", "rise"):
        steps.fill(phone, answers.PSQI[item])
        phone.get_by_role("button", name=steps.CONTINUE).click()
        expect(notice).to_contain_text("You are offline. Your answer is kept on this phone")
    expect(phone.locator(".item h1")).to_be_focused()
    assert phone.evaluate(KEPT) == 2
    phone.context.set_offline(False)
    expect(phone).to_have_url(re.compile("sleep_h"), timeout=20_000)
    assert phone.evaluate(KEPT) == 0
    kept = ask(installation, "answers_kept", code=person["code"], instrument="psqi")
    assert {key: raw for key, (raw, _language) in kept.items()} == {
        key: answers.PSQI[key] for key in ("bed", "latency_min", "rise")
    }
    assert ask(installation, "n_saved", code=person["code"]) == 3
    steps.answer(phone, answers.PSQI)
    steps.send_answers(phone)


def test_what_was_refused_after_waiting_is_asked_again_with_what_was_typed(
    devices: Devices, person: dict[str, str]
) -> None:
    phone = devices.phone()
    begin(phone, person)
    phone.context.set_offline(True)
    phone.locator("#id_hour").fill("25")
    phone.locator("#id_minute").fill("10")
    phone.get_by_role("button", name=steps.CONTINUE).click()
    expect(phone.locator("#kept")).to_contain_text("kept on this phone")
    phone.context.set_offline(False)
    expect(phone.locator(".error-summary")).to_contain_text("That is not a time", timeout=20_000)
    assert phone.locator("#id_hour").input_value() == "25"
    assert phone.evaluate(KEPT) == 0


def test_a_session_that_ended_meanwhile_costs_a_pin_and_no_answer(
    devices: Devices, installation: Installation, person: dict[str, str]
) -> None:
    phone = devices.phone()
    begin(phone, person, "Questions about stress")
    phone.context.clear_cookies(name="sessionid")
    phone.locator("input[value='3']").check()
    steps.press(phone, steps.CONTINUE)
    expect(phone.locator("h1")).to_have_text("Enter your PIN")
    phone.locator("#id_pin").fill(answers.PIN)
    phone.locator("main form button").click()
    expect(phone).to_have_url(re.compile("item_2"), timeout=20_000)
    kept = ask(installation, "answers_kept", code=person["code"], instrument="cpss")
    assert kept == {"item_1": ["3", "en"]}
    assert ask(installation, "n_saved", code=person["code"]) == 1


def test_two_tabs_send_what_is_kept_once_and_signing_out_leaves_nothing(
    devices: Devices, installation: Installation, person: dict[str, str]
) -> None:
    phone = devices.phone()
    begin(phone, person, "Questions about stress")
    other = phone.context.new_page()
    other.goto("/me/")
    phone.route("**/item_*/", lambda route: route.abort())
    other.route("**/item_*/", lambda route: route.abort())
    for code in ("3", "2"):
        phone.locator(f"input[value='{code}']").check()
        phone.get_by_role("button", name=steps.CONTINUE).click()
        expect(phone.locator("#kept")).to_contain_text("kept on this phone")
    expect(other.locator("#kept")).to_contain_text("2 answers are kept", timeout=20_000)
    other.get_by_role("button", name="Sign out").click()
    expect(other.locator("#kept")).to_contain_text("Sign out when you are online")
    for page in (other, phone):
        page.unroute("**/item_*/")
    expect(phone).to_have_url(re.compile("item_3"), timeout=20_000)
    assert ask(installation, "n_saved", code=person["code"]) == 2
    with other.expect_navigation():
        other.get_by_role("button", name="Sign out").click()
    expect(other.locator("h1")).to_have_text("You are signed out")
    other.wait_for_function(f"async () => (await caches.keys()).length === 0 && {KEPT} === 0")
    phone.close()


def test_a_lost_connection_shows_a_page_that_knows_nobody_and_goes_on_by_itself(
    devices: Devices, person: dict[str, str]
) -> None:
    phone = devices.phone()
    begin(phone, person)
    kept = phone.evaluate(EVERYTHING_KEPT)
    assert any(url.endswith("/me/offline/") for url in kept)
    assert [url for url in kept if not SHELL_ONLY.match(url)] == []
    phone.context.set_offline(True)
    phone.goto("/me/")
    expect(phone.locator("h1")).to_have_text("No connection")
    expect(phone.locator("h2")).to_have_text("没有网络")
    background = phone.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert background == "rgb(11, 6, 4)"
    phone.context.set_offline(False)
    expect(phone.locator("h1")).to_have_text("Before you start", timeout=20_000)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_morning_takes_six_taps(
    devices: Devices, installation: Installation, study: str, language: str
) -> None:
    person = ask(installation, "enrol_kinds", study=study, cbt=0, language=language)["music"][0]
    phone = devices.phone()
    steps.enter_pin(phone, f"/p/{person['token']}/")
    phone.goto("/me/group/")
    phone.goto("/me/")
    phone.locator(".tasks a[href*='/me/morning/']").tap()
    began = time.monotonic()
    for number, code in enumerate(TAPS, start=1):
        expect(phone.locator(".kicker")).to_contain_text(f"{number}")
        with phone.expect_navigation():
            phone.locator(f".choice:has(input[value='{code}'])").tap()
    expect(phone).to_have_url(re.compile("/check/"))
    assert time.monotonic() - began < 60
    kept = ask(installation, "morning_kept", code=person["code"])
    assert kept["is_submitted"]
    assert list(kept["values"].values()) == TAPS


def test_keys_choose_without_going_on_and_scripts_off_ask_for_continue(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol_kinds", study=study, cbt=0)["music"][0]
    phone = devices.phone()
    steps.enter_pin(phone, f"/p/{person['token']}/")
    phone.goto("/me/group/")
    phone.goto("/me/")
    phone.locator(".tasks a[href*='/me/morning/']").click()
    phone.locator("input[type=radio]").first.focus()
    phone.keyboard.press("ArrowDown")
    phone.keyboard.press("ArrowDown")
    expect(phone).to_have_url(re.compile("latency_band"))
    phone.keyboard.press("Enter")
    expect(phone).to_have_url(re.compile("awakenings_band"))
    plain = devices.phone(java_script_enabled=False)
    steps.enter_pin(plain, f"/p/{person['token']}/")
    plain.goto(phone.url)
    for code in TAPS[1:]:
        plain.locator(f"input[value='{code}']").check()
        steps.press(plain, steps.CONTINUE)
    expect(plain.locator("h1")).to_contain_text("this morning is saved")


def test_no_page_complained(devices: Devices, person: dict[str, str]) -> None:
    phone = devices.phone()
    begin(phone, person)
    steps.answer(phone, answers.PSQI)
    steps.send_answers(phone)
    assert devices.complaints == []
