"""Every page there is, with somebody who stands where it is shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product

from playwright.sync_api import Browser, ConsoleMessage, Page, StorageState

from tests.browser import steps
from tests.browser.inside import ask
from tests.servers import Installation

NOBODY = ""
CLINICIAN, RESEARCHER, ADMINISTRATOR = STAFF = ("clinician", "researcher", "administrator")
SIGNED_IN = (
    *("reading", "starting", "checking", "waiting", "listener", "unlucky", "learner", "visited"),
    "screened",
)
GUARDIANS = ("guardian-asked", "guardian-permitting")
# A busy machine may take this long over any one step.
PATIENCE_MS = 60_000
LANGUAGES, THEMES = ("en", "zh-hans"), ("day", "night")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
WIDTHS = {"phone": PHONE, "desk": DESK}


@dataclass(frozen=True)
class Variant:
    """How a page is looked at."""

    language: str
    theme: str
    device: str

    def __str__(self) -> str:
        return f"{self.device}-{self.language}-{self.theme}"


EVERY_VARIANT = [Variant(*parts) for parts in product(LANGUAGES, THEMES, WIDTHS)]


@dataclass(frozen=True)
class Exhibit:
    """One page: its name, its path, on whose device, and what is done there before looking."""

    name: str
    path: str
    by: str = NOBODY
    act: Callable[[Page], None] | None = None
    is_always_dark: bool = False

    @property
    def is_for_participants(self) -> bool:
        """Whether it is a page that participants see."""
        return self.by not in STAFF and not self.path.startswith(("/accounts/", "/admin/"))


@dataclass
class Gallery:
    """The pages of one installation, and the devices on which they are open.

    `kept` has what the browsers of signed-in people keep; `complaints` every error that a page
    wrote to its console.
    """

    browser: Browser
    base_url: str
    exhibits: list[Exhibit]
    kept: dict[str, StorageState]
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def device(self, by: str = NOBODY, variant: Variant = EVERY_VARIANT[0]) -> Iterator[Page]:
        """Open a page in this person's browser, set to a language and a theme."""
        context = self.browser.new_context(
            base_url=self.base_url,
            viewport=WIDTHS[variant.device],
            storage_state=self.kept.get(by),
            reduced_motion="reduce",
            color_scheme="dark" if variant.theme == "night" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        chosen = {"django_language": variant.language, "theme": variant.theme}
        context.add_cookies(
            [{"name": name, "value": value, "url": self.base_url} for name, value in chosen.items()]
        )
        try:
            yield context.new_page()
        finally:
            context.close()

    def walk(self, exhibits: list[Exhibit], variant: Variant) -> Iterator[tuple[Exhibit, Page]]:
        """Yield each exhibit with its open page; one browser a person."""
        for by in dict.fromkeys(exhibit.by for exhibit in exhibits):
            with self.device(by, variant) as page:
                for exhibit in exhibits:
                    if exhibit.by == by:
                        page.goto(exhibit.path)
                        if exhibit.act:
                            exhibit.act(page)
                        yield exhibit, page

    def _listen(self, message: ConsoleMessage) -> None:
        """Keep what a page complains of: a refused script, a missing file; not its own 404."""
        is_own_status = message.page and message.location["url"] == message.page.url
        if message.type == "error" and not is_own_status:
            self.complaints.append(f"{message.location['url']}: {message.text}")


def build(
    browser: Browser,
    installation: Installation,
    kept: dict[str, StorageState],
    *,
    running: str,
    finished: str,
    draft: str,
    language: str = "en",
) -> Gallery:
    """Put people on their way in the study `running`, and return every page around them.

    `language` is what these people read and answer in. `kept` has what the browsers of the
    signed-in staff keep, by role; they work on all three studies.
    """
    people = ask(installation, "people_on_their_way", study=running, language=language)
    gallery = Gallery(
        browser,
        installation.base_url,
        entry(people)
        + participant(people)
        + guardian(people)
        + staff(people, running=running, finished=finished, draft=draft),
        {**kept},
    )
    doors = dict.fromkeys(SIGNED_IN, "p") | dict.fromkeys(GUARDIANS, "g")
    for name, door in doors.items():
        with gallery.device(variant=Variant(language, "day", "phone")) as page:
            steps.enter_pin(page, f"/{door}/{people[name]['token']}/")
            gallery.kept[name] = page.context.storage_state()
    return gallery


def entry(people: dict[str, dict[str, str]]) -> list[Exhibit]:
    """The pages that nobody has to sign in for."""
    link = {name: f"/p/{person['token']}/" for name, person in people.items()}
    return [
        Exhibit("front", "/"),
        Exhibit("welcome", link["invited"]),
        Exhibit("pin-choose", f"{link['invited']}pin/"),
        Exhibit("pin-choose-error", f"{link['invited']}pin/", act=_press_main),
        Exhibit("pin-enter", f"{link['reading']}pin/"),
        Exhibit("link-none", "/me/pin/"),
        Exhibit("link-revoked", link["revoked"]),
        Exhibit("link-unknown", "/p/no-such-link/"),
        Exhibit("help", "/me/help/"),
        Exhibit("offline", "/me/offline/", is_always_dark=True),
        Exhibit("not-found", "/no-such-page/"),
        Exhibit("staff-sign-in", "/accounts/login/"),
    ]


def participant(people: dict[str, dict[str, str]]) -> list[Exhibit]:
    """The pages of a participant, in the order in which they are met."""
    starting, checking = people["starting"], people["checking"]
    diary = people["learner"]["diary"]
    return [
        Exhibit("consent-page", "/me/consent/1/", "reading"),
        Exhibit("consent-questions", "/me/consent/questions/", "reading"),
        Exhibit("consent-questions-error", "/me/consent/questions/", "reading", _press_main),
        Exhibit("consent-decide", "/me/consent/decide/", "reading"),
        Exhibit("consent-decide-error", "/me/consent/decide/", "reading", _press_main),
        Exhibit("consent-check", "/me/consent/check/?decision=yes", "reading"),
        Exhibit("consent-talk", "/me/consent/talk/", "reading"),
        Exhibit("screening", "/me/screening/", "screened"),
        Exhibit("screening-error", "/me/screening/", "screened", _press_main),
        Exhibit("today-start", "/me/", "starting"),
        Exhibit("sheet-begin", starting["cpss"], "starting"),
        Exhibit("item-time", f"{checking['psqi']}bed/", "checking"),
        Exhibit("item-number", f"{checking['psqi']}latency_min/", "checking"),
        Exhibit("item-number-error", f"{checking['psqi']}latency_min/", "checking", _type_nonsense),
        Exhibit("item-length", f"{checking['psqi']}sleep_h/", "checking"),
        Exhibit("item-choice", f"{checking['psqi']}d_b/", "checking"),
        Exhibit("item-words", f"{checking['psqi']}d_j_reason/", "checking"),
        Exhibit("item-declined", f"{checking['psqi']}d_c/", "checking"),
        Exhibit("item-said-back", f"{checking['psqi']}sleep_h/", "checking"),
        Exhibit("sheet-check", f"{checking['psqi']}check/", "checking"),
        Exhibit("music", "/me/music/", "starting"),
        Exhibit("music-error", "/me/music/", "starting", _press_main),
        Exhibit("today-waiting", "/me/", "waiting"),
        Exhibit("group-music", "/me/group/", "listener"),
        Exhibit("today-music", "/me/", "listener"),
        Exhibit("mornings", "/me/mornings/", "listener"),
        Exhibit("morning-item", f"{people['listener']['morning']}sleep_band/", "listener"),
        Exhibit("reminders", "/me/reminders/", "listener"),
        Exhibit("morning-saved", f"{people['unlucky']['morning']}check/", "unlucky"),
        Exhibit("tonight", "/me/tonight/", "listener", is_always_dark=True),
        Exhibit("tonight-failed", "/me/tonight/", "unlucky", is_always_dark=True),
        Exhibit("today-visit", "/me/", "visited"),
        Exhibit("place", "/me/place/", "visited"),
        Exhibit("group-lessons", "/me/group/", "learner"),
        Exhibit("today-lessons", "/me/", "learner"),
        Exhibit("lessons", "/me/lessons/", "learner"),
        Exhibit("lesson-card", "/me/lesson/sleep_education/2/", "learner"),
        Exhibit("lesson-question", "/me/lesson/sleep_education/8/", "learner"),
        Exhibit("messages", "/me/messages/", "learner"),
        Exhibit("diary-begin", diary, "learner"),
        Exhibit("stop", "/me/stop/", "listener"),
        Exhibit("stop-check", "/me/stop/", "listener", _choose_and_press),
    ]


def guardian(people: dict[str, dict[str, str]]) -> list[Exhibit]:
    """The pages of a parent or guardian, who has a link of their own."""
    invited = f"/g/{people['guardian-invited']['token']}/"
    asked, permitting = GUARDIANS
    return [
        Exhibit("guardian-welcome", invited),
        Exhibit("guardian-pin-choose", f"{invited}pin/"),
        Exhibit("guardian-pin-enter", f"/g/{people[asked]['token']}/pin/"),
        Exhibit("guardian-home", "/guardian/", asked),
        Exhibit("guardian-text", "/guardian/text/1/", asked),
        Exhibit("guardian-questions-error", "/guardian/questions/", asked, _press_main),
        Exhibit("guardian-decide", "/guardian/decide/", asked),
        Exhibit("guardian-decide-error", "/guardian/decide/", asked, _press_main),
        Exhibit("guardian-talk", "/guardian/talk/", asked),
        Exhibit("guardian-permitted", "/guardian/", permitting),
        Exhibit("guardian-take-back", "/guardian/take-back/", permitting),
    ]


def staff(
    people: dict[str, dict[str, str]], *, running: str, finished: str, draft: str
) -> list[Exhibit]:
    """The pages of clinician, researcher and administrator."""
    person = f"/clinic/{running}/p/{people['waiting']['code']}/"
    visited = f"/clinic/{running}/p/{people['visited']['code']}/"
    on_paper = f"{visited}{people['visited']['paper']}"
    screening = f"/clinic/{people['screened']['study']}/"
    screened = f"{screening}p/{people['screened']['code']}/"
    copied = f"{screening}p/{people['copied']['code']}/"
    return [
        Exhibit("studies", "/clinic/", CLINICIAN),
        Exhibit("study-new", "/clinic/new/", CLINICIAN),
        Exhibit("study-new-error", "/clinic/new/", CLINICIAN, _press_main),
        Exhibit("study-draft", f"/clinic/{draft}/", CLINICIAN),
        Exhibit("worklist", f"/clinic/{running}/", CLINICIAN),
        Exhibit("people", f"/clinic/{running}/people/", CLINICIAN),
        Exhibit("sites", f"/clinic/{running}/sites/", CLINICIAN),
        Exhibit("protocol", f"/clinic/{running}/protocol/", CLINICIAN),
        Exhibit("protocol-version", f"/clinic/{running}/protocol/1/", CLINICIAN),
        Exhibit("set-up", f"/clinic/{draft}/set-up/allocation/", CLINICIAN),
        Exhibit("set-up-visits", f"/clinic/{draft}/set-up/visits/", CLINICIAN),
        Exhibit("set-up-texts", f"/clinic/{draft}/set-up/texts/", CLINICIAN),
        Exhibit("protocol-load-error", f"/clinic/{draft}/protocol/load/", CLINICIAN, _press_main),
        Exhibit("dry-run", f"/clinic/{draft}/dry-run/", CLINICIAN),
        Exhibit("trail", f"/clinic/{running}/trail/?part=all", CLINICIAN),
        Exhibit("site-approval", f"/clinic/{running}/sites/", CLINICIAN, _record_approval),
        Exhibit("event-new", f"{person}event/", CLINICIAN),
        Exhibit("harms", f"{visited}harms/", CLINICIAN),
        Exhibit("harms-error", f"{visited}harms/", CLINICIAN, _press_main),
        Exhibit("reminders-of-somebody", f"{visited}reminders/", CLINICIAN),
        Exhibit("copies-by-mail", f"{copied}reminders/", CLINICIAN),
        Exhibit("screening-log", f"{screening}screening/", CLINICIAN),
        Exhibit("screening-answers", f"{screened}screening/", CLINICIAN),
        Exhibit("screening-answers-error", f"{screened}screening/", CLINICIAN, _press_main),
        Exhibit("invite", f"/clinic/{running}/invite/", CLINICIAN),
        Exhibit("participant", person, CLINICIAN),
        Exhibit("reveal", f"{person}contact/", CLINICIAN),
        Exhibit("contact-correct", f"{person}contact/correct/", CLINICIAN),
        Exhibit("contact-correct-error", f"{person}contact/correct/", CLINICIAN, _press_main),
        Exhibit("answers", f"{person}{people['waiting']['answers']}", CLINICIAN),
        Exhibit("correct", f"{person}{people['waiting']['answers']}bed/", CLINICIAN),
        Exhibit(
            "correct-error", f"{person}{people['waiting']['answers']}d_b/", CLINICIAN, _press_main
        ),
        Exhibit("paper-entry", on_paper, CLINICIAN),
        Exhibit("paper-entry-error", on_paper, CLINICIAN, _press_main),
        Exhibit("paper-form", f"{on_paper}form/", CLINICIAN),
        Exhibit("place-staff", f"{person}place/", CLINICIAN),
        Exhibit("withdraw", f"{person}withdraw/", CLINICIAN),
        Exhibit("close", f"/clinic/{running}/close/", CLINICIAN),
        Exhibit("locks", f"{person}locks/", CLINICIAN),
        Exhibit("sign", f"{person}sign/", CLINICIAN),
        Exhibit("break-blind", f"{person}unblind/", CLINICIAN),
        Exhibit("report-unblinding", f"{person}unblinded/", CLINICIAN),
        Exhibit("unblindings", f"/clinic/{running}/unblindings/", CLINICIAN),
        Exhibit("database", f"/clinic/{finished}/database/", CLINICIAN),
        Exhibit("erasure", f"/clinic/{finished}/erasure/", CLINICIAN),
        Exhibit("outcomes-pooled", f"/research/{running}/", RESEARCHER),
        Exhibit("outcomes-by-arm", f"/research/{finished}/", RESEARCHER),
        Exhibit("unblind", f"/research/{running}/unblind/", RESEARCHER),
        Exhibit("analysis", f"/research/{finished}/analysis/", RESEARCHER),
        Exhibit("analysis-plan", f"/research/{finished}/analysis/plan/", RESEARCHER),
        Exhibit("exports", f"/research/{finished}/exports/", RESEARCHER),
        Exhibit("trail-review", f"{screening}trail/review/", RESEARCHER),
        Exhibit("trail-review-error", f"{screening}trail/review/", RESEARCHER, _press_main),
        Exhibit("second-factor", "/accounts/2fa/", RESEARCHER),
        Exhibit("password", "/accounts/password/change/", RESEARCHER),
        Exhibit("administration", "/admin/", ADMINISTRATOR),
        Exhibit("administration-list", "/admin/studies/participant/", ADMINISTRATOR),
    ]


def _press_main(page: Page) -> None:
    """Send the page's form as it is."""
    with page.expect_navigation():
        page.locator("main form .actions button").first.click()


def _record_approval(page: Page) -> None:
    page.get_by_role("main").locator("td a.cell-link").first.click()
    _press_main(page)


def _type_nonsense(page: Page) -> None:
    page.locator("#id_answer").fill("many")
    _press_main(page)


def _choose_and_press(page: Page) -> None:
    page.get_by_role("radio").first.check()
    _press_main(page)
