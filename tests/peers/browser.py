"""One browser for all tests of the page; a skip, or a failure where every peer has to be there."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.peers.tools import TOOL_FOLDERS, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, or any other that is there."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        missing("the Python package playwright is not installed")
        return
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        missing("no Chromium is installed (Debian: chromium)")
        return
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        except Error as error:
            missing(f"{program} does not start: {error.message.splitlines()[0]}")
            return
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Return what opens a page as a reader would, and notes whatever it does."""
    contexts: list[BrowserContext] = []

    def opened(page: str, *, check: bool = True, **settings: object) -> Visit:
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(page, encoding="utf-8", newline="\n")
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        visited = Visit(context.new_page())
        visited.open(path)
        if check:
            assert visited.deeds == []
        return visited

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the script of axe-core, or skip."""
    given = os.environ.get("PRECHECK_GATE_TOOLS")
    for folder in [Path(given)] if given else TOOL_FOLDERS:
        script = folder / "node_modules" / "axe-core" / "axe.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8")
    missing("the npm package axe-core is not installed; run: make tools")
    return ""


ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

# Details are made when they open, and may have details of their own.
OPEN_ALL = """async () => {
  for (const one of document.querySelectorAll(".open-task[aria-expanded=false]")) one.click();
  for (let closed; (closed = document.querySelectorAll("main details:not([open])")).length;) {
    for (const one of closed) one.open = true;
    await new Promise((done) => setTimeout(done));
  }
}"""


@dataclass
class Visit:
    """A page that was opened; ``deeds`` has each dialog, request and message of it."""

    page: Page
    deeds: list[str] = field(default_factory=list)
    _address: str = ""

    def open(self, path: Path) -> None:
        """Open the page, and listen to it from the beginning."""
        self._address = path.as_uri()
        page = self.page
        page.on("console", lambda message: self.deeds.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.deeds.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("popup", lambda popup: self.deeds.append(f"popup: {popup.url}"))
        page.on("request", self._request)
        page.goto(self._address)

    def _dialog(self, dialog: Dialog) -> None:
        self.deeds.append("dialog")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if request.url != self._address and not request.url.startswith("data:"):
            self.deeds.append(f"request: {request.url}")

    def open_everything(self) -> None:
        """Open every task and every detail."""
        self.page.evaluate(OPEN_ALL)

    def text(self) -> str:
        """Return all that a reader can see."""
        return self.page.locator("body").inner_text()
