"""A visit to a page: what it shows, and what it did that it should not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Dialog, Page, Request

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


def missing(what: str) -> None:
    """Skip the test, or fail it where every tool has to be there."""
    if os.environ.get("PRECHECK_GATE_REQUIRE_PEERS"):
        pytest.fail(what)
    pytest.skip(what)


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
