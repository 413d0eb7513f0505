"""The views of `precheck-gate diff` on reports that somebody made up; and when it is worse."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from precheck_gate.documents.validation import load_schema
from precheck_gate.model.report import decode_report
from precheck_gate.safetext.cleaning import clean_line
from precheck_gate.saved.comparison import VIEWS, Comparison, compare_reports

EVIL = [
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "`` ` ``` ```` <b>",
    "`",
    "@everyone #1 https://evil.example",
    "a | b\n\n# heading\n* list",
    "::error::x",
    "##vso[task.complete]",
    "\x1b[2J\u202e",
    "![x](https://evil.example/x.png)",
    " ",
]


def made(name: str, verdict: str = "blocked", **more: str) -> dict[str, Any]:
    finding = {"kind": "item", "title": name, "verdict": verdict, "message": name, **more}
    return {
        "format": "precheck-gate/report",
        "format_version": 1,
        "verdict": verdict,
        "judged_on": name,
        "policy": {"name": name},
        "findings": [finding],
        "tasks": [{"task": name, "verdict": verdict, "findings": [finding]}],
    }


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Compare as the command does, whether or not the reports contradict themselves."""
    reports = [json.loads(json.dumps(one), object_hook=_clean) for one in (old, new)]
    return compare_reports(*map(decode_report, reports))


def _clean(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: clean_line(inner) if isinstance(inner, str) else inner
        for name, inner in value.items()
    }


def compared(name: str) -> Comparison:
    evil = made(name, "passed_with_warnings", status=name, failed_reason=name)
    return compare(evil, made(name, status="FAILED", waived_by=name))


_INNOCENT = {
    *("heading_open", "heading_close", "bullet_list_open", "bullet_list_close", "list_item_open"),
    *("list_item_close", "paragraph_open", "paragraph_close", "inline"),
}


def check_markdown(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    assert {token.type for token in tokens} <= _INNOCENT, text
    assert sum(token.type == "heading_open" for token in tokens) <= 3
    for token in tokens:
        for inner in token.children or []:
            assert inner.type in ("text", "code_inline", "strong_open", "strong_close"), text
            if inner.type == "text":
                # Nothing of the report is plain text, where mentions and addresses come to life.
                assert not set(inner.content) & set("<>@#[]`|!"), text


@pytest.mark.parametrize("name", EVIL)
def test_markdown_shows_evil_texts_and_none_of_them_acts(name: str) -> None:
    check_markdown(VIEWS["markdown"](compared(name)))


SCHEMA = jsonschema.Draft202012Validator(load_schema("diff-1"))


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1))
def test_no_text_breaks_out_of_markdown_nor_the_schema(name: str) -> None:
    comparison = compared(name)
    check_markdown(VIEWS["markdown"](comparison))
    SCHEMA.validate(json.loads(VIEWS["json"](comparison)))
    text = VIEWS["text"](comparison)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_markdown_is_bounded_and_says_what_it_left_out() -> None:
    new = made("a")
    new["tasks"] = [
        {
            "task": f"t-{number}",
            "verdict": "blocked",
            "findings": [
                {"kind": "item", "title": f"i-{one}", "verdict": "blocked", "message": "m" * 1000}
                for one in range(60)
            ],
        }
        for number in range(150)
    ]
    text = VIEWS["markdown"](compare(made("a"), new))
    assert "… and 50 more tasks" in text or "… and 51 more tasks" in text
    assert "… and 10 more findings" in text
    assert len(text) < 4_000_000


_verdicts = st.sampled_from(["passed", "passed_with_warnings", "blocked", "incomplete", "error"])


_tasks = st.dictionaries(st.sampled_from("abc"), _verdicts)


@settings(deadline=None)
@given(_tasks, _tasks)
def test_a_report_is_never_worse_than_itself_and_never_better_both_ways(
    old: dict[str, str], new: dict[str, str]
) -> None:
    def whole(tasks: dict[str, str]) -> dict[str, Any]:
        order = ["passed", "passed_with_warnings", "blocked", "incomplete", "error"]
        return {
            "format": "precheck-gate/report",
            "format_version": 1,
            "verdict": max(tasks.values(), key=order.index, default="error"),
            "tasks": [
                {
                    "task": name,
                    "verdict": verdict,
                    "findings": [{"kind": "item", "title": "i", "verdict": verdict}],
                }
                for name, verdict in tasks.items()
            ],
        }

    one, other = whole(old), whole(new)
    assert compare(one, one).worse == ()
    if old != new and old.keys() == new.keys():
        assert compare(one, other).worse or compare(other, one).worse
    assert bool(compare(one, other).tasks) is (old != new)
