"""What people and machines do wrong: each has a calm page, and nothing is lost or doubled."""

import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, StorageState, expect

from tests.browser import answers, steps
from tests.browser.conftest import Devices
from tests.browser.gallery import CLINICIAN
from tests.browser.inside import ask
from tests.servers import Installation

pytestmark = pytest.mark.browser

STUDY = "BAD-INPUT"
WRONG_PIN = "918273"


@pytest.fixture(scope="module")
def study(installation: Installation, team: dict[str, str]) -> str:
    """An open study with a clinician."""
    assert CLINICIAN in team
    members = {CLINICIAN: "principal_investigator"}
    return ask(installation, "make_study", code=STUDY, title="What goes wrong", members=members)


def test_a_wrong_pin_is_counted_and_then_the_link_rests(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="pin")
    phone = devices.phone()
    for left in (4, 3, 2, 1):
        steps.enter_pin(phone, address(person), WRONG_PIN)
        expect(phone.locator(".error-summary")).to_contain_text(f"{left} more time")
    steps.enter_pin(phone, address(person), WRONG_PIN)
    expect(phone.locator(".error-summary")).to_contain_text("Too many tries. Wait 15 minutes")
    steps.enter_pin(phone, address(person), answers.PIN)
    expect(phone.locator(".error-summary")).to_contain_text("Too many tries")
    installation.move_clock(minutes=16)
    steps.enter_pin(phone, address(person), answers.PIN)
    expect(phone).to_have_url(re.compile("/me/"))


def test_a_revoked_link_ends_the_sessions_it_began_and_says_so(
    devices: Devices, installation: Installation, signed_in: dict[str, StorageState], study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="consented")
    phone, desk = devices.phone(), devices.desk(storage_state=signed_in[CLINICIAN])
    steps.enter_pin(phone, address(person))
    expect(phone.get_by_role("heading", name="Before you start")).to_be_visible()
    desk.goto(f"/clinic/{study}/p/{person['code']}/")
    steps.press(desk, "Close the link")
    phone.goto("/me/")
    expect(phone.locator("h1")).to_have_text("This link is no longer in use")
    phone.goto(address(person))
    expect(phone.locator("h1")).to_have_text("This link is no longer in use")


def test_a_link_without_a_pin_runs_out_after_fourteen_days(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="invited")
    installation.move_clock(days=14, minutes=1)
    phone = devices.phone()
    phone.goto(address(person))
    expect(phone.locator("h1")).to_have_text("This link has run out")
    phone.goto(address({"token": "no-such-link"}))
    expect(phone.locator("h1")).to_have_text("This link does not open")


def test_two_tabs_and_two_clicks_send_the_same_answers_once(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="consented")
    first = devices.phone()
    steps.enter_pin(first, address(person))
    steps.begin(first, "Questions about stress")
    steps.answer(first, answers.CPSS)
    second = first.context.new_page()
    second.goto(first.url)
    first.get_by_role("button", name="Send my answers").dblclick()
    expect(first.get_by_role("heading", name="Thank you")).to_be_visible()
    steps.send_answers(second)
    first.goto(first.url.replace("thanks/", "item_3/"))
    expect(first.locator("h1")).to_have_text("These answers are sent")
    assert ask(installation, "n_submitted", code=person["code"]) == 1


def test_two_clicks_on_allocate_use_one_slot(
    devices: Devices, installation: Installation, signed_in: dict[str, StorageState], study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="baseline_done")
    first = devices.desk(storage_state=signed_in[CLINICIAN])
    first.goto(f"/clinic/{study}/p/{person['code']}/")
    late = first.context.new_page()
    late.goto(first.url)
    first.get_by_role("button", name="Allocate").dblclick()
    expect(first.get_by_role("status")).to_contain_text(re.compile("Allocated|Already allocated"))
    steps.press(late, "Allocate")
    expect(late.get_by_role("status")).to_contain_text("Already allocated. Nothing was changed.")
    assert ask(installation, "n_allocations", code=person["code"]) == 1


def test_an_exhausted_sequence_is_said_and_harms_nobody(
    devices: Devices, installation: Installation, signed_in: dict[str, StorageState]
) -> None:
    code = "SHORT-LIST"
    members = {CLINICIAN: "principal_investigator"}
    ask(
        installation,
        "make_study",
        code=code,
        title="A short list",
        members=members,
        slots_per_stratum=1,
    )
    person = ask(installation, "exhaust", study=code)
    desk = devices.desk(storage_state=signed_in[CLINICIAN])
    desk.goto(f"/clinic/{code}/p/{person['code']}/")
    steps.press(desk, "Allocate")
    expect(desk.get_by_role("status")).to_contain_text("the sequence of this stratum is used up")
    assert ask(installation, "state_of", code=person["code"]) == "baseline_done"


def test_answers_out_of_range_are_asked_again_and_keep_what_was_typed(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="consented")
    phone = devices.phone()
    steps.enter_pin(phone, address(person))
    steps.begin(phone, "Questions about your sleep")
    refused(phone, "25:61", "That is not a time of day")
    assert phone.locator("#id_hour").input_value() == "25"
    steps.answer(phone, answers.PSQI, stop_before="latency_min")
    refused(phone, "721", "from 0 to 720")
    refused(phone, "some", "in digits only")
    refused(phone, "", "Write the number of minutes")
    steps.answer(phone, answers.PSQI, stop_before="d_a")
    phone.locator("input[type=radio]").first.evaluate("option => { option.value = '7' }")
    phone.locator("input[type=radio]").first.check()
    steps.press(phone, steps.CONTINUE)
    expect(phone.locator(".error-summary")).to_contain_text("Choose one of the answers")
    steps.answer(phone, answers.PSQI)
    steps.send_answers(phone)


def test_a_broker_that_was_down_costs_a_delay_and_no_music(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol_kinds", study=study, cbt=0)["music"][0]
    phone = devices.phone()
    steps.enter_pin(phone, address(person))
    expect(phone).to_have_url(re.compile("/me/"))
    kill_broker(installation)
    phone.goto("/me/tonight/")
    expect(phone.get_by_role("heading", name="Tonight")).to_be_visible()
    steps.await_mix(phone)
    assert installation.health()[0] == 200


def test_the_whole_questionnaire_works_without_scripts(
    devices: Devices, installation: Installation, study: str
) -> None:
    person = ask(installation, "enrol", study=study, as_far_as="invited")
    ask(installation, "permit_for", code=person["code"])
    phone = devices.phone(java_script_enabled=False)
    steps.choose_pin(phone, address(person))
    steps.consent(phone)
    for task, sheet in (
        ("Questions about your sleep", answers.PSQI),
        ("Questions about stress", answers.CPSS),
    ):
        steps.begin(phone, task)
        steps.answer(phone, sheet)
        steps.send_answers(phone)
    steps.state_taste(phone, style="jazz", instrument="piano", tempo="still", mode="minor")
    expect(phone.get_by_role("heading", name="Thank you, that is all for now")).to_be_visible()


def refused(page: Page, raw: str, words: str) -> None:
    """Answer with something that cannot be, and read why."""
    steps.fill(page, raw)
    steps.press(page, steps.CONTINUE)
    expect(page.locator(".error-summary")).to_contain_text(words)
    expect(page).to_have_title(re.compile("^Error:"))


def kill_broker(installation: Installation) -> None:
    """Kill this installation's own broker; its supervisor starts it again."""
    found = [pid for pid in children_of(installation.supervisor.pid) if "valkey" in name_of(pid)]
    assert len(found) == 1
    os.kill(found[0], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{found[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def children_of(parent: int) -> list[int]:
    """Return the processes that a process started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(pid) for pid in children.split()]


def name_of(pid: int) -> str:
    """Return the command line of a process; empty if it has ended."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    return ""


def address(person: dict[str, str]) -> str:
    """Return the path of somebody's private link."""
    return f"/p/{person['token']}/"


def test_a_half_filled_form_of_staff_is_not_left_unasked(
    devices: Devices, signed_in: dict[str, StorageState], team: dict[str, str]
) -> None:
    assert CLINICIAN in team
    desk = devices.desk(storage_state=signed_in[CLINICIAN])
    asked = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    desk.on("dialog", stay)
    desk.goto("/clinic/new/")
    desk.get_by_label("Title").fill("A study of sleep")
    desk.locator("a.bar-link").click(no_wait_after=True)
    expect(desk.get_by_label("Title")).to_have_value("A study of sleep")
    assert asked == ["beforeunload"]
    desk.get_by_label("Title").fill("")
    desk.locator("a.bar-link").click()
    expect(desk.get_by_role("heading", name="Studies")).to_be_visible()
    assert asked == ["beforeunload"]
