"""The Markdown report within its bytes: whole constructs, and an honest word about the rest."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precheck_gate.errors import UsageError
from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.base import MARKDOWN_LEAST
from precheck_gate.reports.markdown import MarkdownReporter
from tests.support.verdicts import (
    HOSTILE_MARKUP,
    LIVE_FACTS,
    hostile_run,
    item_of,
    page_of,
    run_of,
    task_of,
    wave,
)
from tests.unit.reports.test_markdown_render import only_ours, rendered

RUN, TASKS = wave(60, items=4)


def bounded(max_bytes: int) -> str:
    run, made = RUN, TASKS
    out = io.StringIO()
    reporter = MarkdownReporter(out, max_bytes=max_bytes)
    for task in made:
        reporter.add_task(task)
    reporter.finish(run, LIVE_FACTS)
    return out.getvalue()


@settings(deadline=None, max_examples=40)
@given(st.integers(MARKDOWN_LEAST, 12_000))
def test_it_is_never_longer_and_never_torn(max_bytes: int) -> None:
    text = bounded(max_bytes)
    assert len(text.encode()) <= max_bytes
    assert text.count("<details>") == text.count("</details>")
    assert text.startswith("## ")
    assert text.endswith("</sub>\n")
    only_ours(rendered(text))
    rows = re.findall(r"^\| `.*$", text, flags=re.MULTILINE)
    assert all(row.count("|") == 7 for row in rows)
    cut = re.search(r"Cut to fit.* (\d+) of 60 tasks", text)
    assert len(rows) == 60 - (int(cut.group(1)) if cut else 0)


def test_what_fits_is_not_cut() -> None:
    assert "Cut to fit" not in bounded(60_000)


def test_what_blocks_goes_before_what_is_green() -> None:
    text = bounded(4_000)
    assert "Cut to fit" in text
    assert text.index("### Blocking") < text.index("### Tasks")
    assert "passed |" not in text.split("Cut to fit")[0] or "blocked |" in text


def test_the_default_fits_a_comment_on_a_pull_request() -> None:
    tasks = [task_of(n, item_of("x" * 70, Verdict.BLOCKED)) for n in range(3_000)]
    text = page_of(run_of(tasks), tasks, form="markdown")
    assert len(text.encode()) <= 60_000
    assert re.search(r"\d+ of 3000 tasks", text)


@pytest.mark.parametrize("max_bytes", [MARKDOWN_LEAST, 3_000])
def test_hostile_texts_cannot_make_it_longer(max_bytes: int) -> None:
    run, tasks, facts = hostile_run(*(payload + "|<&" * 300 for payload in HOSTILE_MARKUP))
    out = io.StringIO()
    reporter = MarkdownReporter(out, max_bytes=max_bytes)
    for task in tasks:
        reporter.add_task(task)
    reporter.finish(run, facts)
    assert len(out.getvalue().encode()) <= max_bytes
    only_ours(rendered(out.getvalue()))


def test_too_few_bytes_are_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        MarkdownReporter(io.StringIO(), max_bytes=MARKDOWN_LEAST - 1)
