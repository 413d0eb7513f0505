"""The pages about CI systems say what the tested files say."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.peers.composite import load_action
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted((ROOT / "docs" / "ci").glob("*.md"))
_BLOCK = re.compile(r"(?:<!-- from (?P<file>\S+) -->\n)?```\w*\n(?P<text>.*?)\n```", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


def squeezed(text: str) -> list[str]:
    """Return the lines of a text, without the indentation that it shares."""
    return textwrap.dedent(text).rstrip().splitlines()


def stands_in(part: list[str], whole: list[str]) -> bool:
    """Return whether lines stand in a file in a row, as they are but for how far they are in."""
    windows = (whole[start : start + len(part)] for start in range(len(whole) - len(part) + 1))
    return any(squeezed("\n".join(window)) == part for window in windows)


def test_there_is_a_page_for_each_system() -> None:
    assert {page.stem for page in PAGES} == {
        *("github", "gitlab", "jenkins", "azure"),
        *("kubernetes", "container", "terraform", "shell"),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_snippet_stands_in_a_tested_file(page: Path) -> None:
    blocks = list(_BLOCK.finditer(page.read_text("utf-8")))
    assert blocks
    for block in blocks:
        assert block["file"], f"from which file is this? {block['text'][:80]}"
        whole = (ROOT / block["file"]).read_text("utf-8").splitlines()
        # A call may also stand in the comment at the head of its file.
        comments = [line.removeprefix("#").removeprefix("   ") for line in whole]
        part = squeezed(block["text"])
        assert stands_in(part, whole) or stands_in(part, comments), f"{page.name}, {part}"


def test_a_changed_snippet_would_be_found() -> None:
    assert stands_in(["a:", "  b"], ["x", "  a:", "    b"])
    assert not stands_in(["a:", "  c"], ["x", "  a:", "    b"])
    assert not stands_in(["a:", "b"], ["x", "  a:", "    b"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_the_page_of_github_names_every_output() -> None:
    text = (ROOT / "docs" / "ci" / "github.md").read_text("utf-8")
    assert not [name for name in load_action()["outputs"] if f"`{name}`" not in text]
