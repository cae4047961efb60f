"""Every page for everybody: axe finds nothing, targets are large, nights are dark, keys suffice."""

import base64
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser import answers, steps
from tests.browser import gallery as pages
from tests.browser.gallery import EVERY_VARIANT, Exhibit, Gallery, Variant
from tests.browser.inside import ask
from tests.servers import Installation

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
LEAST_TARGET_PX = 48
# Relative luminance, white is 1 (WCAG 2.2): of a night page, and of any frame on the way to it.
DARK_PAGE, DARK_FRAME = 0.02, 0.05
# Every page is looked at in two variants that share nothing; the pairs take turns.
PAIRS = [
    (Variant("en", "day", "phone"), Variant("zh-hans", "night", "desk")),
    (Variant("zh-hans", "night", "phone"), Variant("en", "day", "desk")),
    (Variant("en", "night", "phone"), Variant("zh-hans", "day", "desk")),
    (Variant("zh-hans", "day", "phone"), Variant("en", "night", "desk")),
]
# The points of a 48 px square around an element's middle that belong to something else.
SMALL_TARGETS = """
least => {
  const reach = least / 2 - 1;
  const around = [[0, 0], [reach, 0], [-reach, 0], [0, reach], [0, -reach]];
  const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const isShown = e => e.checkVisibility() && e.getClientRects().length && !e.closest(".skip");
  // A link in the middle of a sentence is as high as its line (WCAG 2.5.8, inline).
  const isInSentence = e => e.matches("p a, dd a") &&
    e.parentElement.textContent.trim() !== e.textContent.trim();
  const belongs = (hit, e) => hit === e || e.contains(hit) || hit?.closest("label")?.control === e;
  return [...document.querySelectorAll(wanted)].filter(isShown).filter(e => !isInSentence(e))
    .filter(e => {
      const target = e.labels?.[0]?.matches(".choice") ? e.labels[0] : e;
      target.scrollIntoView({block: "center"});
      const box = target.getBoundingClientRect();
      const x = box.x + box.width / 2, y = box.y + box.height / 2;
      return !around.every(([dx, dy]) => {
        const hit = document.elementFromPoint(x + dx, y + dy);
        return belongs(hit, e) || hit === target;
      });
    })
    .map(e => `${e.tagName} ${e.textContent.trim() || e.name} ` +
      `${Math.round(e.getBoundingClientRect().width)}x` +
      `${Math.round(e.getBoundingClientRect().height)}`);
}
"""
MEAN_LUMINANCE = """
async picture => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const paper = canvas.getContext("2d");
  paper.drawImage(image, 0, 0);
  const pixels = paper.getImageData(0, 0, image.width, image.height).data;
  const linear = Float64Array.from({length: 256}, (_, code) => {
    const c = code / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4)
    sum += 0.2126 * linear[pixels[i]] + 0.7152 * linear[pixels[i + 1]]
      + 0.0722 * linear[pixels[i + 2]];
  return sum / (pixels.length / 4);
}
"""


@pytest.fixture(scope="module")
def gallery(
    browser: Browser, installation: Installation, signed_in: dict[str, StorageState]
) -> Gallery:
    """Every page of three small studies."""
    members = {pages.CLINICIAN: "principal_investigator", pages.RESEARCHER: "researcher"}
    studies = {"running": "AXE-RUNNING", "finished": "AXE-FINISHED", "draft": "AXE-DRAFT"}
    for name, code in studies.items():
        is_open = name != "draft"
        ask(
            installation,
            "make_study",
            code=code,
            title=f"A {name} study",
            members=members,
            is_open=is_open,
        )
    ask(installation, "finish_study", study="AXE-FINISHED", n=6, unblinded_by=pages.RESEARCHER)
    return pages.build(browser, installation, signed_in, **studies)


@pytest.fixture(scope="module")
def darkroom(browser: Browser) -> Iterator[Page]:
    """An empty page that measures pictures."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_on_any_page_in_either_language_and_theme(
    gallery: Gallery, request: pytest.FixtureRequest
) -> None:
    is_slow = request.config.getoption("--slow")
    found = []
    for variant in EVERY_VARIANT:
        shown = [
            exhibit
            for place, exhibit in enumerate(gallery.exhibits)
            if is_slow or variant in PAIRS[place % len(PAIRS)]
        ]
        for exhibit, page in gallery.walk(shown, variant):
            found += violations(page, f"{exhibit.name} {variant}")
    assert found == []
    assert gallery.complaints == []


def test_tonight_is_accessible_while_the_mix_is_on_its_way(
    gallery: Gallery, installation: Installation
) -> None:
    person = ask(installation, "enrol_kinds", study="AXE-RUNNING", cbt=0)["music"][0]
    ask(installation, "hold_tonight", module="slow_worker", code=person["code"])
    for variant in (Variant("en", "day", "phone"), Variant("zh-hans", "night", "desk")):
        with gallery.device(variant=variant) as page:
            steps.enter_pin(page, f"/p/{person['token']}/")
            page.goto("/me/tonight/")
            assert violations(page, str(variant)) == []


def test_targets_on_participants_pages_are_large(gallery: Gallery) -> None:
    small = []
    shown = [exhibit for exhibit in gallery.exhibits if exhibit.is_for_participants]
    for exhibit, page in gallery.walk(shown, Variant("en", "day", "phone")):
        small += [
            f"{exhibit.name}: {target}" for target in page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX)
        ]
    assert small == []


def test_night_pages_are_dark(gallery: Gallery, darkroom: Page) -> None:
    bright = []
    shown = [exhibit for exhibit in gallery.exhibits if exhibit.is_for_participants]
    for exhibit, page in gallery.walk(shown, Variant("en", "night", "phone")):
        bright += too_bright(darkroom, page, exhibit)
    always = [exhibit for exhibit in gallery.exhibits if exhibit.is_always_dark]
    assert len(always) > 1
    for exhibit, page in gallery.walk(always, Variant("zh-hans", "day", "phone")):
        bright += too_bright(darkroom, page, exhibit)
    assert bright == []


def test_no_frame_is_bright_on_the_way_to_tonight(gallery: Gallery, darkroom: Page) -> None:
    frames: list[str] = []
    with gallery.device("listener", Variant("en", "night", "phone")) as page:
        page.goto("/me/")
        film = page.context.new_cdp_session(page)

        def keep(frame: dict[str, object]) -> None:
            frames.append(frame["data"])
            film.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

        film.on("Page.screencastFrame", keep)
        film.send("Page.startScreencast", {"format": "png", "maxWidth": 390, "maxHeight": 844})
        for path in ("/me/tonight/", "/me/help/", "/me/tonight/"):
            page.goto(path)
            page.mouse.wheel(0, 300)
        film.send("Page.stopScreencast")
    luminances = [darkroom.evaluate(MEAN_LUMINANCE, frame) for frame in frames]
    assert 0 < max(luminances) <= DARK_FRAME


def test_an_item_is_answered_with_keys_alone(gallery: Gallery, installation: Installation) -> None:
    person = ask(installation, "enrol", study="AXE-RUNNING", as_far_as="consented")
    with gallery.device(variant=Variant("en", "day", "phone")) as page:
        steps.enter_pin(page, f"/p/{person['token']}/")
        steps.begin(page, "Questions about your sleep")
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the page"
        page.keyboard.press("Enter")
        walk_to(page, "#id_hour")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        page.keyboard.type("23")
        walk_to(page, "#id_minute")
        page.keyboard.type("30")
        walk_to(page, "main form button")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("latency_min"))
        steps.answer(page, answers.PSQI, stop_before="d_a")
        walk_to(page, "input[type=radio]")
        page.keyboard.press("ArrowDown")
        assert page.locator("input[type=radio]").nth(1).is_checked()
        walk_to(page, "main form button")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("d_b"))


def violations(page: Page, where: str) -> list[str]:
    """Return what axe finds, one line a finding."""
    found = Axe().run(page, options=RUN).response["violations"]
    return [
        f"{where}: {finding['id']}: {node['html'][:120]} | {node['failureSummary']}"
        for finding in found
        for node in finding["nodes"]
    ]


def too_bright(darkroom: Page, page: Page, exhibit: Exhibit) -> list[str]:
    """Return the exhibit with its luminance if it is brighter than a night page may be."""
    picture = base64.b64encode(page.screenshot()).decode("ascii")
    luminance = darkroom.evaluate(MEAN_LUMINANCE, picture)
    return [f"{exhibit.name}: {luminance:.4f}"] if luminance > DARK_PAGE else []


def walk_to(page: Page, selector: str) -> None:
    """Press Tab until this element has the focus."""
    for _press in range(30):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} was expected to be reached with Tab, got {focused(page)!r}")


def focused(page: Page) -> str:
    """Return the words of the element that has the focus."""
    return page.evaluate("() => document.activeElement.textContent.trim()")
