"""Phones and desks on the running installation, and the staff who sit at the desks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState

from tests.browser import steps
from tests.browser.gallery import ADMINISTRATOR, DESK, PATIENCE_MS, PHONE, STAFF
from tests.browser.inside import ask
from tests.servers import Installation


@dataclass
class Devices:
    """Devices of different people: nothing that one keeps is known to another.

    `complaints` has every error that a page wrote to its console: a violated policy, a script that
    failed, a file that is missing.
    """

    browser: Browser
    base_url: str
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def phone(self, **options: object) -> Page:
        """Return a page on a phone of its own."""
        return self._page(viewport=PHONE, has_touch=True, **options)

    def desk(self, **options: object) -> Page:
        """Return a page at a desk of its own."""
        return self._page(viewport=DESK, **options)

    def put_away(self) -> None:
        """Close all of them."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()

    def _page(self, **options: object) -> Page:
        context = self.browser.new_context(base_url=self.base_url, **options)
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.contexts.append(context)
        return context.new_page()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.page.url if message.page else ''}: {message.text}")


@pytest.fixture
def devices(browser: Browser, installation: Installation) -> Iterator[Devices]:
    """Phones and desks; put away at the end."""
    found = Devices(browser, installation.base_url)
    yield found
    found.put_away()


@pytest.fixture(scope="session")
def team(installation: Installation) -> dict[str, str]:
    """A clinician, a researcher and an administrator: the secrets of their second factors."""
    return ask(installation, "make_team", names=list(STAFF), administrator=ADMINISTRATOR)


@pytest.fixture(scope="session")
def signed_in(
    browser: Browser, installation: Installation, team: dict[str, str]
) -> dict[str, StorageState]:
    """What the browsers of signed-in staff keep, by name: nobody types a code in every test."""
    devices, kept = Devices(browser, installation.base_url), {}
    for name, secret in team.items():
        page = devices.desk()
        steps.sign_in_staff(page, name, secret)
        kept[name] = page.context.storage_state()
    devices.put_away()
    return kept
