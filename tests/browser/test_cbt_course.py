"""The whole CBT course on two phones, the clock moved: English with scripts, Chinese without."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Devices
from tests.browser.inside import ask
from tests.browser.test_accessibility import LEAST_TARGET_PX, RUN, SMALL_TARGETS
from tests.servers import Installation

pytestmark = pytest.mark.browser

STUDY = "COURSE-1"
LESSONS = (
    "sleep_education", "sleep_window", "relaxation", "worries", "consolidation", "keeping_it",
)  # fmt: skip
USUAL, SEND, FINISH = "usual", "check", "done"
DAYS_A_LESSON = 7


def test_the_whole_course_is_taken_on_a_phone(devices: Devices, installation: Installation) -> None:
    secrets = ask(installation, "make_team", names=["paula", "thea"], administrator="nobody")
    ask(
        installation, "make_study", code=STUDY, title="Sleep skills",
        members={"paula": "principal_investigator", "thea": "therapist"},
    )  # fmt: skip
    people = [
        ask(installation, "enrol_kinds", study=STUDY, music=0, cbt=1, language=language)["cbt"][0]
        for language in ("en", "zh-hans")
    ]
    phones = [devices.phone(), devices.phone(java_script_enabled=False)]
    for phone, person in zip(phones, people, strict=True):
        steps.enter_pin(phone, f"{installation.base_url}/p/{person['token']}/")
    codes, therapist = [person["code"] for person in people], devices.desk()
    for number, lesson in enumerate(LESSONS, start=1):
        for phone in phones:
            a_lesson_is_taken(phone, lesson, is_looked_at=number in {1, 4} and phone is phones[0])
        if lesson == "sleep_window":
            steps.sign_in_staff(therapist, "thea", secrets["thea"])
            for code in codes:
                the_therapist_confirms_the_window(therapist, code)
        nothing_opens_before_its_time(phones[0])
        installation.move_clock(days=DAYS_A_LESSON)
        ask(installation, "keep_diaries", codes=codes, days=DAYS_A_LESSON - 1)
        for phone in phones:
            this_mornings_diary_is_written(phone)
    english, chinese = phones
    english.goto("/me/lessons/")
    expect(english.get_by_text("6 of 8 finished")).to_be_visible()
    expect(english.get_by_text("up at 06:45")).to_be_visible()
    is_accessible(english)
    chinese.goto("/me/lessons/")
    expect(chinese.locator("h1")).to_contain_text("回头看一看")
    messages_go_both_ways(english, therapist, codes[0])
    assert devices.complaints == []


def a_lesson_is_taken(page: Page, lesson: str, *, is_looked_at: bool) -> None:
    """Read card by card, answer every exercise, and come to the end."""
    page.goto("/me/lessons/")
    _press(page, "main .actions a.button")
    while not page.url.endswith(f"/{FINISH}/"):
        assert f"/me/lesson/{lesson}/" in page.url
        if is_looked_at:
            is_accessible(page)
        if page.locator("main form").count():
            _answer(page)
        else:
            _press(page, "main .actions a.button")


def _answer(page: Page) -> None:
    if page.locator("main input[type=radio], main input[type=checkbox]").count():
        page.locator("main input[type=radio], main input[type=checkbox]").first.check()
    elif page.locator("main textarea").count():
        page.locator("main textarea").fill("It is loud in my head. 心里很吵。")
    else:
        page.locator("main #id_answer").fill("6:45")
    _press(page, "main form .actions button")


def nothing_opens_before_its_time(page: Page) -> None:
    """The list says in words what the next lesson waits for."""
    page.goto("/me/lessons/")
    expect(page.get_by_text("It opens on")).to_be_visible()


def this_mornings_diary_is_written(page: Page) -> None:
    """The usual times are confirmed by one press, the rest is answered, all is sent."""
    page.goto("/me/lessons/")
    page.locator(".tasks").first.locator("a").first.click()
    _press(page, f"form[action$='{USUAL}/'] button")
    while not page.url.endswith(f"/{SEND}/"):
        item = steps.item_of(page)
        steps.fill(page, {"latency_min": "10", "awakenings": "0", "quality": "4"}[item])
        _press(page, "main form[data-timed] .actions button")
    _press(page, "main form .actions button")
    expect(page.locator("main h1")).to_be_visible()


def the_therapist_confirms_the_window(page: Page, code: str) -> None:
    """Look at the diary, ask for reasons against it, confirm."""
    page.goto(f"/care/{STUDY}/")
    is_accessible(page, has_large_targets=False)
    page.goto(f"/care/{STUDY}/p/{code}/")
    is_accessible(page, has_large_targets=False)
    steps.follow(page, "Look at it")
    page.get_by_label("I asked for each of these").check()
    is_accessible(page, has_large_targets=False)
    steps.press(page, "Save")
    is_accessible(page, has_large_targets=False)
    steps.press(page, "Confirm")
    expect(page.get_by_text("The sleep window holds from tonight.")).to_be_visible()


def messages_go_both_ways(phone: Page, desk: Page, code: str) -> None:
    """Each side writes one message, and reads the other's."""
    phone.goto("/me/messages/")
    phone.locator("main textarea").fill("I slept well")
    steps.press(phone, "Send")
    desk.goto(f"/care/{STUDY}/p/{code}/messages/")
    expect(desk.get_by_text("I slept well")).to_be_visible()
    desk.locator("main textarea").fill("Good to hear")
    steps.press(desk, "Send")
    is_accessible(desk, has_large_targets=False)
    phone.goto("/me/")
    steps.follow(phone, "A message from your therapist")
    expect(phone.get_by_text("Good to hear")).to_be_visible()
    is_accessible(phone)


def is_accessible(page: Page, *, has_large_targets: bool = True) -> None:
    """Let axe look for what WCAG 2.2 AA forbids, and measure the targets on a phone."""
    found = Axe().run(page, options=RUN).response["violations"]
    said = [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]
    assert said == [], page.url
    if has_large_targets:
        assert page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX) == [], page.url


def _press(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.locator(selector).first.click()
