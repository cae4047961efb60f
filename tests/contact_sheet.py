"""`./run shots`: pictures of every page, on phone and desktop, in both languages, day and night.

    ./run shots [--out FOLDER] [--only WORD]
    ./run shots --overview       the picture of the README, docs/images/overview.png

It starts an installation of its own with the demonstration studies, puts people on every page, and
writes one PNG a page and one contact sheet a variant. The sheets are web pages, photographed.
"""

import argparse
import html
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "therapy_site.settings")

# ruff: noqa: E402 (these need the path above)
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.browser import gallery as pages
from tests.browser import steps
from tests.browser.gallery import EVERY_VARIANT, Exhibit, Gallery, Variant
from tests.browser.inside import ask
from tests.servers import CHROMIUM_ARGUMENTS, Installation, find_chromium

OVERVIEW = ROOT / "docs" / "images" / "overview.png"
RUNNING, FINISHED, DRAFT = "DEMO-RUNNING", "DEMO-FINISHED", "SPRING-DRAFT"
MEMBERS = {pages.CLINICIAN: "principal_investigator", pages.RESEARCHER: "researcher"}
# A slow worker holds its mix for as long as the pictures may take.
LEASE_S = "7200"
SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 32px; background: #77736c; font: 15px/1.4 sans-serif; color: #fff; }}
h1 {{ font-size: 22px; }}
div {{ display: grid; grid-template-columns: repeat(auto-fill, {width}px); gap: 28px 20px;
  align-items: start; }}
figure {{ margin: 0; }}
img {{ width: 100%; max-height: 680px; display: block; object-fit: cover; object-position: top; }}
figcaption {{ padding-block: 6px; }}
</style><h1>{title}</h1><div>{figures}</div>"""
FIGURE = '<figure><figcaption>{name}</figcaption><img src="{file}"></figure>'
THUMBNAIL_PX, PER_SHEET = {"phone": 270, "desk": 560}, {"phone": 18, "desk": 12}
# Arms of twenty-four, so that their lines can be told apart.
OVERVIEW_PEOPLE = 96
OVERVIEW_SIZES = {"phone": pages.PHONE, "desk": {"width": 1180, "height": 1000}}
PICTURE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; width: 1400px; height: 880px; background: #d9d4c9; position: relative;
  overflow: hidden; }
img { position: absolute; display: block; box-shadow: 0 18px 50px rgb(0 0 0 / 0.28); }
.phone { width: 322px; left: 44px; top: 72px; border-radius: 34px; border: 9px solid #171310; }
.desk { width: 944px; left: 412px; top: 40px; border-radius: 10px; }
</style><img class="desk" src="desk.png"><img class="phone" src="phone.png">"""


def main() -> int:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(prog="./run shots", description="Pictures of every page.")
    parser.add_argument("--out", type=Path, help="folder (default: shots in NOCTURNE_VAR)")
    parser.add_argument("--only", default="", help="only pages whose name has this word")
    parser.add_argument("--overview", action="store_true", help="the README's picture instead")
    arguments = parser.parse_args()
    out = arguments.out or Path(os.environ.get("NOCTURNE_VAR") or ROOT / "var") / "shots"
    with chromium() as browser, tempfile.TemporaryDirectory(prefix="ns-") as folder:
        installation = Installation(Path(folder), NOCTURNE_LEASE_S=LEASE_S)
        try:
            say("starting an installation of its own ...")
            installation.start()
            if arguments.overview:
                overview(browser, installation, Path(folder))
            else:
                shots(browser, installation, out, arguments.only)
        finally:
            installation.stop()
    return 0


def shots(browser: Browser, installation: Installation, out: Path, word: str) -> None:
    """Write the pictures of the pages whose name has `word`, and the sheets of them all."""
    kept = prepare(browser, installation)
    galleries = {
        language: fill(browser, installation, kept, language) for language in pages.LANGUAGES
    }
    for variant in EVERY_VARIANT:
        gallery = galleries[variant.language]
        shown = [exhibit for exhibit in gallery.exhibits if word in exhibit.name]
        say(f"{len(shown)} pages, {variant} ...")
        folder = out / str(variant)
        folder.mkdir(parents=True, exist_ok=True)
        for exhibit, page in gallery.walk(shown, variant):
            page.screenshot(path=folder / f"{exhibit.name}.png", full_page=True)
        sheets(browser, out, variant, shown)
    say(f"Pictures and contact sheets: {out}")


def overview(browser: Browser, installation: Installation, folder: Path) -> None:
    """Write the README's picture: tonight on a phone, beside the outcomes of a finished study."""
    kept = prepare(browser, installation, f"--participants={OVERVIEW_PEOPLE}")
    gallery = fill(browser, installation, kept, "en", suffix=f"-{OVERVIEW_PEOPLE}")
    for name, variant in (
        ("tonight", Variant("en", "night", "phone")),
        ("outcomes-by-arm", Variant("en", "day", "desk")),
    ):
        exhibits = [exhibit for exhibit in gallery.exhibits if exhibit.name == name]
        for _exhibit, page in gallery.walk(exhibits, variant):
            page.set_viewport_size(OVERVIEW_SIZES[variant.device])
            page.screenshot(path=folder / f"{variant.device}.png")
    OVERVIEW.parent.mkdir(parents=True, exist_ok=True)
    photograph(browser, folder / "overview.html", PICTURE, OVERVIEW, width=1400, height=880)
    say(f"{OVERVIEW}: {OVERVIEW.stat().st_size // 1000} kB")


def prepare(browser: Browser, installation: Installation, *options: str) -> dict[str, StorageState]:
    """Prepare the demonstration; return what the browsers of its staff keep, signed in."""
    say("preparing the demonstration studies ...")
    team = ask(
        installation, "make_team", names=list(pages.STAFF), administrator=pages.ADMINISTRATOR
    )
    # The demonstration takes the accounts that are there; a running scheduler would be in its way.
    installation.stop()
    installation.manage("demo_study", *options)
    installation.start_again()
    draft = {"code": DRAFT, "title": "Sleep music in spring", "members": MEMBERS}
    ask(installation, "make_study", **draft, is_open=False)
    return {name: signed_in(browser, installation, name, secret) for name, secret in team.items()}


def fill(
    browser: Browser,
    installation: Installation,
    kept: dict[str, StorageState],
    language: str,
    suffix: str = "",
) -> Gallery:
    """Put people who speak a language on every page; wait for the music of one of them."""
    say(f"putting people on every page ({language}) ...")
    running = f"{RUNNING}{suffix}"
    studies = {"running": running, "finished": f"{FINISHED}{suffix}", "draft": DRAFT}
    gallery = pages.build(browser, installation, kept, **studies, language=language)
    slow = ask(installation, "enrol_kinds", study=running, cbt=0, language=language)["music"][0]
    ask(installation, "hold_tonight", module="slow_worker", code=slow["code"])
    with gallery.device(variant=Variant(language, "day", "phone")) as page:
        steps.enter_pin(page, f"/p/{slow['token']}/")
        gallery.kept["slow"] = page.context.storage_state()
    gallery.exhibits.append(Exhibit("tonight-waiting", "/me/tonight/", "slow", is_always_dark=True))
    with gallery.device("listener") as page:
        say("waiting for a mix ...")
        page.goto("/me/tonight/")
        steps.await_mix(page)
    return gallery


def signed_in(browser: Browser, installation: Installation, name: str, secret: str) -> StorageState:
    """Sign somebody in; return what their browser keeps."""
    context = browser.new_context(base_url=installation.base_url)
    context.set_default_timeout(pages.PATIENCE_MS)
    steps.sign_in_staff(context.new_page(), name, secret)
    kept = context.storage_state()
    context.close()
    return kept


def sheets(browser: Browser, out: Path, variant: Variant, shown: list[Exhibit]) -> None:
    """Write the contact sheets of a variant: every picture with its name, so many a sheet."""
    size = PER_SHEET[variant.device]
    for number, first in enumerate(range(0, len(shown), size), start=1):
        figures = "".join(
            FIGURE.format(name=html.escape(exhibit.name), file=f"{variant}/{exhibit.name}.png")
            for exhibit in shown[first : first + size]
        )
        name = f"sheet-{variant}-{number}"
        text = SHEET.format(title=name, figures=figures, width=THUMBNAIL_PX[variant.device])
        photograph(browser, out / f"{name}.html", text, out / f"{name}.png")


def photograph(
    browser: Browser, file: Path, text: str, picture: Path, *, width: int = 1800, height: int = 0
) -> None:
    """Write a web page to `file` and its picture beside it."""
    file.write_text(text, encoding="utf-8")
    page: Page = browser.new_page(viewport={"width": width, "height": height or 900})
    page.goto(file.as_uri())
    page.screenshot(path=picture, full_page=not height)
    page.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open a Chromium, or say how to get one."""
    program = find_chromium()
    if program is None:
        sys.exit("No Chromium on the PATH. Install one: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def say(line: str) -> None:
    """Tell the person at the keyboard how far it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
