"""The Markdown report as renderers take it: what is ours is markup, what is not is text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.markdown import code, escape
from tests.support.verdicts import (
    HOSTILE_MARKUP,
    hostile_run,
    item_of,
    own,
    page_of,
    run_of,
    task_of,
    wave,
)

if TYPE_CHECKING:
    from markdown_it.token import Token

# GitHub's rules: tables, strike-through, and whatever looks like a link becomes one.
GFM = MarkdownIt("gfm-like", {"html": True, "linkify": True})
OURS = {
    *("h2", "h3", "p", "ul", "li", "strong", "code", "br"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "sub"),
}
ATTACKS = (
    *HOSTILE_MARKUP,
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/path?a=b",
    "www.evil.com and evil.com/x and ftp://evil.example",
    "someone@evil.com mailto:a@evil.com xmpp:a@evil.com",
    "@admin @org/team cc @everyone",
    "#1 owner/repo#12 GH-7 !3 $4 &5 %6 ~bug",
    "0123456789abcdef0123456789abcdef01234567",
    "a | b | c\\| d",
    "`code` ``more` ``` ~~~",
    "**bold** __bold__ *i* _i_ ~~gone~~ ==x== ^up^",
    "# heading",
    "- item",
    "1. first",
    "2) second",
    "> quote",
    "=====",
    "---",
    "```sh",
    "[ref]: https://evil.example",
    "[^1] [x] [ ]",
    "$x^2$ $`x`$",
    ":smile: :+1:",
    "&lt;b&gt; &amp; &#x3c;script&#x3e; &nbsp;",
    "\\<b\\> \\",
    "<details open><summary>x</summary></details></details>",
    "</code></sub></details>",
    "/close",
    "line\n\n# heading\n<b>x</b>",
    "<!-- x",
    "{: .class}",
    "trailing \\",
    "`",
    "a`b|c",
)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", []))


def rendered(markdown: str) -> _Tags:
    parser = _Tags()
    parser.feed(GFM.render(markdown))
    parser.close()
    return parser


def bare(text: str) -> str:
    """Return a text without joiners, and with blanks as one."""
    return " ".join(text.replace("\u200b", "").split())


def only_ours(page: _Tags) -> None:
    """Hold that no element is there that we do not write, and none with an address."""
    assert {tag for tag, _ in page.tags} <= OURS
    names = {name for _, attributes in page.tags for name, _ in attributes}
    assert names <= {"style"}  # the renderer's own way to align columns


def in_code(markdown: str) -> list[Token]:
    return [
        inner
        for token in GFM.parse(markdown)
        for inner in token.children or []
        if inner.type == "code_inline"
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_every_field_stays_text(attack: str) -> None:
    only_ours(rendered(page_of(*hostile_run(attack), form="markdown")))


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_text_of_an_attack_is_what_a_reader_sees(attack: str) -> None:
    said = bare(attack.replace("\n", " ⏎ "))
    for markdown in (f"- {escape(attack)}\n", f"x {escape(attack)}\n", f"- {code(attack)}\n"):
        page = rendered(markdown)
        assert {tag for tag, _ in page.tags} <= {"ul", "li", "p", "code"}
        assert bare(page.text).removeprefix("x ") == said


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
@example("_a_ *b*")
@example("\\")
def test_any_text_renders_as_itself(text: str) -> None:
    for spelled in (escape(text), code(text)):
        page = rendered(f"| a | b |\n| - | - |\n| {spelled} | end |\n")
        assert [tag for tag, _ in page.tags if tag not in OURS] == []
        assert sum(tag == "td" for tag, _ in page.tags) == 2


def test_nothing_mentions_or_refers_outside_of_code() -> None:
    for attack in ATTACKS:
        spelled = escape(attack)
        text = rendered(f"- {spelled}\n").text
        assert not re.search(r"[@#!$&%~](?=\w)", text), attack
        assert not re.search(r"(?i)\bgh-\d|www\.|://|\b[0-9a-f]{7,40}\b|:[a-z+]\w*:", text), attack


def test_names_are_plain_in_the_source_so_that_chats_show_them_well() -> None:
    run, tasks = wave(9)
    text = page_of(run, tasks, form="markdown")
    assert f"`{tasks[3].task_id}`" in text
    assert "`SRC_DB_BINLOG_IS_OFF`" in text
    assert len(in_code(text)) > 9


def test_it_says_the_verdict_the_tasks_the_causes_and_what_to_do() -> None:
    tasks = [
        task_of(
            1,
            own(Verdict.BLOCKED, "DRS says no"),
            item_of(
                *("srcDbBinlogIsOff", Verdict.BLOCKED),
                failed_reason="OFF",
                next_step="Switch it on.",
            ),
            progress='"100%"',
        ),
        task_of(2, own(Verdict.PASSED), item_of("a"), progress='"100%"'),
    ]
    page = rendered(page_of(run_of(tasks), tasks, form="markdown"))
    for said in (
        *("Blocked", "1 of 2 tasks must not start; 1 may", "srcDbBinlogIsOff is FAILED (OFF)"),
        *("Next: Switch it on.", "policy.yaml:5 statuses", tasks[0].task_id),
    ):
        assert said in bare(page.text)
    assert sum(tag == "tr" for tag, _ in page.tags) == 3


def test_warnings_waivers_and_remarks_are_folded_up() -> None:
    page = rendered(page_of(*wave(24), form="markdown"))
    summaries = re.findall(r"1 warning cause|2 waivers|1 remark", page.text)
    assert summaries == ["1 warning cause", "2 waivers", "1 remark"]
    assert sum(tag == "details" for tag, _ in page.tags) == 3
