"""What people do on the pages, in the words of the trial; every step is one or two clicks."""

import base64
import hmac
import re
import struct
import time
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from studies.design.texts import consent_questions
from tests.browser.answers import PIN
from tests.servers import PASSWORD

CONTINUE = "Continue"
# What a busy machine may take for two mixes of a minute: the one in work, and one's own.
MIX_WITHIN_MS = 240_000
HALF_MINUTE_S = 30
# What may pass between reading a code and the server's look at it.
TYPING_S = 8
# In which half minute each authenticator's last code was used.
_spent: dict[str, int] = {}


# --- Staff --------------------------------------------------------------------------------------


def totp(secret: str) -> str:
    """Return the code that an authenticator app with this secret shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // HALF_MINUTE_S)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def prove(page: Page, secret: str) -> None:
    """Give password and second factor once more; each code works once, so wait for a new one."""
    page.get_by_label("Your password").fill(PASSWORD)
    page.wait_for_function("period => Date.now() / 30000 >= period + 1", arg=_spent.get(secret, 0))
    page.get_by_label("Code from your authenticator app").fill(_spend(secret))


def _spend(secret: str) -> str:
    """Return the code of now, and remember that it is used up; do not begin with an old one."""
    left = HALF_MINUTE_S - time.time() % HALF_MINUTE_S
    if left < TYPING_S:
        time.sleep(left)
    _spent[secret] = int(time.time()) // HALF_MINUTE_S
    return totp(secret)


def sign_in_staff(page: Page, name: str, secret: str) -> None:
    """Sign in with password and second factor."""
    page.goto("/clinic/")
    page.locator("#id_login").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    press(page, CONTINUE)
    page.locator("#id_code").fill(_spend(secret))
    press(page, "Sign in")
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()


def create_study(page: Page, *, code: str, title: str, night_minutes: int) -> None:
    """Draft a study from the template with four arms."""
    page.goto("/clinic/")
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Short code").fill(code)
    page.get_by_label("Time zone").fill("Europe/London")
    page.get_by_label("Length of a night's music").fill(str(night_minutes))
    press(page, "Make the draft")
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def open_study(page: Page, code: str) -> None:
    """Open a drafted study."""
    page.goto(f"/clinic/{code}/")
    press(page, "Open the study")
    expect(page.get_by_text("The study is open.")).to_be_visible()


def add_member(page: Page, code: str, name: str, role: str) -> None:
    """Give somebody a role in the study."""
    page.goto(f"/clinic/{code}/people/")
    page.get_by_label("Account name").fill(name)
    page.locator(f"input[name=role][value={role}]").check()
    press(page, "Add")
    expect(page.get_by_role("rowheader", name=name)).to_be_visible()


def invite(page: Page, code: str, *, name: str, contact: str, language: str) -> tuple[str, str]:
    """Invite a girl of sixteen; return the participant's code and the private link."""
    page.goto(f"/clinic/{code}/")
    page.get_by_role("link", name="Invite a participant").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Phone number or email address").fill(contact)
    page.get_by_label("Age in years").fill("16")
    page.locator(f"input[name=language][value={language}]").check()
    page.locator("input[name=sex][value=female]").check()
    press(page, "Make the private link")
    link = page.get_by_label("Private link").input_value()
    return page.locator("h1").inner_text().strip(), link


def name_guardian(page: Page, code: str, participant: str) -> str:
    """Name a minor's guardian; return the guardian's private link."""
    page.goto(f"/clinic/{code}/p/{participant}/guardian/")
    page.get_by_label("Name of the parent or guardian").fill("Synthetic Guardian")
    page.get_by_label("Their phone number or email address").fill("+44 20 7946 0002")
    press(page, "Make the guardian's link")
    return page.get_by_label("Private link").input_value()


def verify_contact(page: Page, code: str, participant: str) -> None:
    """Give one's word that the participant was reached; ends on their page."""
    page.goto(f"/clinic/{code}/p/{participant}/contact/check/")
    page.get_by_label("I have reached the participant by this contact").check()
    page.get_by_label("How did you reach them?").fill("called back on the number")
    page.locator("main form button").click()


def allocate(page: Page, code: str, participant: str) -> None:
    """Press Allocate on a participant's page."""
    page.goto(f"/clinic/{code}/p/{participant}/")
    if page.get_by_role("link", name="Verify the contact").is_visible():
        verify_contact(page, code, participant)
    press(page, "Allocate")
    expect(page.get_by_text("Allocated. Music or lessons begin tonight.")).to_be_visible()


def report_event(page: Page, code: str, participant: str, began_on: str) -> None:
    """Report something untoward that is not serious."""
    page.goto(f"/clinic/{code}/p/{participant}/event/")
    page.get_by_label("When did it begin?").fill(began_on)
    page.get_by_label("What happened?").fill("a headache in the evening")
    for name, value in (("severity", "mild"), ("relation", "none")):
        page.locator(f"input[name={name}][value={value}]").check()
    press(page, "Report")
    page.goto(f"/clinic/{code}/p/{participant}/")
    expect(page.get_by_text("Adverse event reported")).to_be_visible()


def break_blind(page: Page, code: str, participant: str, secret: str) -> str:
    """Have one arm told in an emergency; return it."""
    page.goto(f"/clinic/{code}/p/{participant}/unblind/")
    page.get_by_label("What happened?").fill("admitted with a rash")
    page.get_by_label("Who will know it").fill("the ward will know")
    prove(page, secret)
    press(page, "Show the group")
    return page.locator("dl.review dd").inner_text().strip()


def sign(page: Page, code: str, participant: str, secret: str) -> None:
    """Sign what a participant handed in."""
    page.goto(f"/clinic/{code}/p/{participant}/sign/")
    page.locator("input[name=meaning][value=correct]").check()
    prove(page, secret)
    press(page, "Sign")
    expect(page.get_by_text("Holds", exact=True)).to_be_visible()


def lock_everything_of(page: Page, code: str, participant: str) -> None:
    """Lock all that a participant handed in."""
    page.goto(f"/clinic/{code}/p/{participant}/locks/")
    with page.expect_navigation():
        page.get_by_role("row", name="Everything").get_by_role("button", name="Lock").click()
    expect(page.get_by_text("Locked.")).to_be_visible()


def withdraw(page: Page, code: str, participant: str) -> None:
    """Pass on that somebody takes part no more, their answers staying."""
    page.goto(f"/clinic/{code}/p/{participant}/withdraw/")
    page.locator("input[name=scope][value=contact]").check()
    press(page, "Continue")
    press(page, "Withdraw now")
    expect(page.get_by_text("Withdrawn as asked.")).to_be_visible()


def set_erasure_day(page: Page, code: str, day: str) -> None:
    """Say when names and contacts are erased."""
    page.goto(f"/clinic/{code}/erasure/")
    page.get_by_label("Erase names and contacts on").fill(day)
    with page.expect_navigation():
        page.locator("main form .actions button").click()
    expect(page.get_by_text("They are erased on")).to_be_visible()


def close_study(page: Page, code: str) -> None:
    """End data collection."""
    page.goto(f"/clinic/{code}/close/")
    page.get_by_label("Reason").fill("everybody has finished")
    page.get_by_label("Type the study's code to confirm").fill(code)
    press(page, "Close the study")
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()


def lock_database(page: Page, code: str) -> None:
    """Let nothing be edited any more; what is open stays so for a reason."""
    page.goto(f"/clinic/{code}/database/")
    for reason in page.get_by_role("textbox").all():
        reason.fill("looked at, it changes no result")
    press(page, "Lock the database")
    expect(page.get_by_text("Nothing can be edited any more.")).to_be_visible()


def unblind(page: Page, code: str) -> None:
    """Let results be read by arm."""
    page.goto(f"/research/{code}/unblind/")
    page.get_by_label("Why is the study unblinded now?").fill("the data are complete")
    page.get_by_label("Type the study's code to confirm").fill(code)
    with page.expect_navigation():
        page.locator("main form button").click()


# --- Participants -------------------------------------------------------------------------------


def choose_pin(page: Page, link: str, pin: str = PIN) -> None:
    """Open a new private link and choose its PIN."""
    page.goto(link)
    follow(page, CONTINUE)
    page.locator("#id_pin").fill(pin)
    page.locator("#id_pin_again").fill(pin)
    press(page, CONTINUE)


def enter_pin(page: Page, link: str, pin: str = PIN) -> None:
    """Open a private link that has a PIN, and enter it."""
    page.goto(link)
    page.locator("#id_pin").fill(pin)
    with page.expect_navigation():
        page.locator("main form button").click()


def switch_language(page: Page) -> None:
    """Press the button that changes between English and Chinese."""
    with page.expect_navigation():
        page.locator("header button[name=language]").click()


def consent(page: Page) -> None:
    """Read every page, answer the questions on them, and agree."""
    page.goto("/me/consent/")
    _read_and_understand(page)
    page.get_by_label("Yes, I want to take part").check()
    press(page, CONTINUE)
    press(page, "Yes, take part")


def permit(page: Page, link: str) -> None:
    """Choose a PIN as a guardian, read the same pages, and sign."""
    choose_pin(page, link)
    follow(page, "Read what the study is about")
    _read_and_understand(page)
    page.get_by_label("Yes, my child may take part").check()
    page.get_by_label("Your full name").fill("Synthetic Guardian")
    page.get_by_label("I am a parent or guardian").check()
    press(page, CONTINUE)
    press(page, "Sign: yes, my child may take part")
    expect(page.get_by_text("You said yes on")).to_be_visible()


def _read_and_understand(page: Page) -> None:
    """Go from page to page, and choose what the text says at each of its questions."""
    while page.get_by_role("radio").count() == 0:
        follow(page, CONTINUE)
    for number, question in enumerate(consent_questions("en"), start=1):
        page.locator(f"input[name=question_{number}][value='{question['answer']}']").check()
    press(page, CONTINUE)


def begin(page: Page, task: str) -> None:
    """Open a task of the participant's own page, and begin it if it is new."""
    page.goto("/me/")
    with page.expect_navigation():
        page.get_by_role("link", name=task).click()
    if page.get_by_role("button", name="Begin").count():
        press(page, "Begin")


def answer(page: Page, answers: Mapping[str, str], stop_before: str = "") -> None:
    """Answer item by item, each on its own page, until all are answered or `stop_before` comes."""
    while (item := item_of(page)) and item != stop_before:
        fill(page, answers[item])
        with page.expect_navigation():
            page.locator("main form[data-timed] .actions button").click()


def item_of(page: Page) -> str:
    """Return the key of the item that is asked now; empty on the page with all the answers."""
    key = page.url.partition("#")[0].rstrip("/").rpartition("/")[2]
    return "" if key == "check" else key


def fill(page: Page, raw: str) -> None:
    """Fill one item in: a choice, a time or length, a number, or words."""
    choice = page.locator(f"input[type=radio][name=answer][value='{raw}']")
    parts = page.locator(".clock input")
    if parts.count():
        for field, part in zip(parts.all(), raw.split(":"), strict=True):
            field.fill(part)
    elif choice.count():
        choice.check()
    else:
        page.locator("main [name=answer]").fill(raw)


def send_answers(page: Page) -> None:
    """Hand in from the page that shows all answers."""
    press(page, "Send my answers")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def state_taste(page: Page, *, style: str, instrument: str, tempo: str, mode: str) -> None:
    """Say which music is liked."""
    page.goto("/me/music/")
    page.locator(f"input[name=styles][value={style}]").check()
    for name, value in (("instrument", instrument), ("tempo", tempo), ("mode", mode)):
        page.locator(f"input[name={name}][value={value}]").check()
    press(page, "Save")


def await_mix(page: Page) -> None:
    """Wait on tonight's page until it shows the play button by itself."""
    play = page.get_by_role("button", name="Play")
    expect(play).to_be_visible(timeout=MIX_WITHIN_MS)


def listen(page: Page, seconds: float) -> None:
    """Press play, hear some seconds of music, press pause; the page reports what was heard."""
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "seconds => document.querySelector('audio').currentTime >= seconds", arg=seconds
    )
    with page.expect_response(re.compile("/me/tonight/heard")) as answer:
        page.get_by_role("button", name="Pause").click()
    assert answer.value.status == 204


def read_lesson(page: Page) -> None:
    """Read the open lesson card by card and choose the first answer to each of its questions."""
    page.goto("/me/lessons/")
    with page.expect_navigation():
        page.locator("main .actions a.button").click()
    while not page.url.endswith("/done/"):
        if page.get_by_role("radio").count():
            page.get_by_role("radio").first.check()
            with page.expect_navigation():
                page.locator("main form .actions button").click()
        else:
            follow(page, CONTINUE)
    expect(page.get_by_role("heading", name="Lesson finished")).to_be_visible()


# --- Any page -----------------------------------------------------------------------------------


def press(page: Page, name: str) -> None:
    """Press the page's own button of this name."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    """Follow the page's own link of this name."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("link", name=name, exact=True).click()
