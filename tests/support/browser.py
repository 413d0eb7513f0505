"""One browser for all tests of the page; a skip, or a failure where every peer has to be there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browsing import ARGUMENTS, Visit, missing
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext

TOOL_FOLDERS = (ROOT / ".ci" / "tools",)


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
