"""The HTML report as a file: of one piece, the same every time, and closed to what is not ours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from precheck_gate.model.verdicts import FindingKind, Verdict
from precheck_gate.reports.html import Cell, headings, row_of, totals
from precheck_gate.reports.html_data import Compactor, evidence_pairs
from tests.support.verdicts import (
    HOSTILE_MARKUP,
    LIVE_FACTS,
    hostile_run,
    item_of,
    own,
    page_of,
    run_of,
    task_of,
    wave,
)


class _Elements(HTMLParser):
    """Collects the elements of a page with their attributes and the text of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.texts:
            self.texts[self._inside][-1] += data

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def elements(page: str) -> _Elements:
    parser = _Elements()
    parser.feed(page)
    parser.close()
    return parser


def embedded(page: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(elements(page).texts["script"][0])
    return value


@pytest.fixture(scope="module", params=["wave", "hostile", "nothing"])
def page(request: pytest.FixtureRequest) -> str:
    if request.param == "wave":
        return page_of(*wave(12))
    if request.param == "hostile":
        return page_of(*hostile_run(*HOSTILE_MARKUP))
    return page_of(run_of([], item_of("usage", Verdict.ERROR)), [])


def test_it_is_one_file_without_anything_from_elsewhere(page: str) -> None:
    found = elements(page)
    assert [one.get("src") for one in found.of("script")] == [None, None]
    assert not found.of("img", "iframe", "object", "embed", "audio", "video", "base")
    assert [one["href"][:5] for one in found.of("link") if one["href"]] == ["data:"]
    assert "url(" not in found.texts["style"][0]
    assert "@import" not in found.texts["style"][0]
    addresses = [one["href"] or "" for one in found.of("a", "use")]
    assert all(address.startswith(("#", "https://")) for address in addresses)


def test_the_content_policy_names_the_script_and_the_style_by_their_hashes(page: str) -> None:
    found = elements(page)
    policies = [one["content"] for one in found.of("meta") if one.get("http-equiv")]
    assert len(policies) == 1
    policy = policies[0] or ""
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, text in (("script", found.texts["script"][1]), ("style", found.texts["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_no_element_has_a_style_or_a_handler_of_its_own(page: str) -> None:
    names = {name for _, attributes in elements(page).found for name in attributes}
    assert not [name for name in names if name == "style" or name.startswith("on")]


def test_equal_verdicts_give_equal_bytes_in_any_process() -> None:
    program = (
        "import hashlib; from tests.support.verdicts import *;"
        "tasks = [task_of(1, item_of('x', data=\"{'a': {'p','q','r','s'}}\"))];"
        "print(hashlib.sha256((page_of(run_of(tasks), tasks) + page_of(*wave(9))).encode())"
        ".hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_page_holds_every_finding_with_every_field() -> None:
    run, tasks = wave(12)
    data = embedded(page_of(run, tasks))
    fields, texts, rows = data["fields"], data["texts"], data["rows"]

    def of(value: Any) -> Any:
        return texts[value] if isinstance(value, int) else value

    for told, task in zip(data["tasks"], tasks, strict=True):
        assert told[:3] == [task.task_id, task.verdict.value, task.progress]
        assert [tuple(step) for step in told[7]] == list(task.timeline)
        for ref, finding in zip(told[8], task.findings, strict=True):
            row = rows[ref] if isinstance(ref, int) else ref
            given = dict(zip(fields, row, strict=False))
            for name in fields[2:16]:
                assert of(given.get(name, 0)) == getattr(finding, name), name
            assert of(given["kind"]) == finding.kind.value
            assert of(given["verdict"]) == finding.verdict.value
            assert [of(step) for step in given.get("trace", [])] == list(finding.trace)


def test_a_wave_that_says_the_same_takes_little_room() -> None:
    tasks = [task_of(number, own(Verdict.PASSED), *SAME) for number in range(300)]
    page = page_of(run_of(tasks), tasks)
    assert len(page) < 300 * 1_500 + 60_000


SAME = tuple(item_of(f"check{number}", group=f"group{number % 8}") for number in range(40))


def test_memory_holds_a_row_a_task_and_not_its_findings() -> None:
    def peak(number: int) -> int:
        run, tasks = run_of([]), (task_of(one, *SAME[:4], *long(one)) for one in range(number))
        tracemalloc.start()
        page_of(run, tasks)  # type: ignore[arg-type]  # one by one, as a run gives them
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    def long(number: int) -> tuple[Any, ...]:
        return tuple(item_of(f"long{at}", raw_error=f"{number} {at} " * 2_000) for at in range(3))

    few, many = peak(10), peak(110)
    # A hundred tasks more have some 4 MB of texts. The test itself keeps the page, and reads it.
    assert many - few < 16_000_000


def test_the_catalogue_s_words_come_with_the_items_seen_and_only_those() -> None:
    task = task_of(1, item_of("srcDbBinlogIsOff", Verdict.BLOCKED), item_of("never heard of"))
    items = embedded(page_of(run_of([task]), [task]))["items"]
    assert list(items) == ["srcDbBinlogIsOff"]
    assert items["srcDbBinlogIsOff"]["sources"]


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ('{"a": "b"}', [["a", ["b"]]]),
        ("{'a': 'b', 'c': [1, True, None]}", [["a", ["b"]], ["c", ["1", "true", "null"]]]),
        ('{"colls": "a,b,c,d,e,f"}', [["colls", ["a", "b", "c", "d", "e", "f"]]]),
        ("[1, 'x']", [["", ["1", "x"]]]),
        ("{'a': {(1, 2): 3}}", "{'a': {(1, 2): 3}}"),
        ("{'a': {'y', 'x'}}", "{'a': {'y', 'x'}}"),
        ('{"a": "\\u001b[31m"}', [["a", ["\\x1b[31m"]]]),
        ('{"a": "\\ud800"}', [["a", ["\\ud800"]]]),
        ("{'a': 0x" + "f" * 6_000 + "}", "{'a': 0x" + "f" * 6_000 + "}"),
        ('{"n": 1.50}', [["n", ["1.50"]]]),
    ],
)
def test_evidence_is_decoded_or_shown_as_it_is(data: str, pairs: object) -> None:
    assert evidence_pairs(data) == pairs


def test_evidence_without_end_is_cut_and_says_so() -> None:
    pairs = evidence_pairs(json.dumps({f"k{n}": "v" for n in range(300)}))
    assert pairs[-1] == ["…", ["200 more keys"]]
    names = evidence_pairs(json.dumps({"a": [str(n) for n in range(900)]}))
    assert names[0][1][-1] == "… and 400 more"


def test_many_groups_share_a_column() -> None:
    tasks = [
        task_of(1, *(item_of(f"i{at}", group=f"group{at:02d}") for at in range(40))),
        task_of(2, item_of("bad", Verdict.BLOCKED, group="group39")),
    ]
    page = page_of(run_of(tasks), tasks)
    shown = re.findall(r'class="turned"><span>([^<]*)<', page)
    assert len(shown) == 17
    assert {"task itself", "group39", "other groups"} <= set(shown)


def test_each_group_says_how_many_tasks_have_trouble_there() -> None:
    warned = item_of("x", Verdict.PASSED_WITH_WARNINGS, group="network")
    blocked = item_of("y", Verdict.BLOCKED, group="network")
    fine = item_of("z", group="db_params")
    rows = [
        row_of(task_of(number, *found), number)
        for number, found in enumerate(
            [(warned, fine), (warned, blocked, fine), (warned,), (fine,)]
        )
    ]
    columns = headings(rows)
    assert columns == ["db_params", "network"]
    told = totals(rows, columns)
    assert told[:2] == [None, None]
    assert told[2] == Cell(Verdict.BLOCKED, 3, "1 task blocked, 2 tasks passed with warnings")


def test_a_group_named_like_the_shared_column_costs_no_cell() -> None:
    task = task_of(1, item_of("a", Verdict.BLOCKED, group="other groups"), own(Verdict.BLOCKED))
    page = page_of(run_of([task]), [task])
    assert page.count('<td class="cell block"') == 2


def test_the_table_is_bounded_and_the_rest_written_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("precheck_gate.reports.html_data.MAX_TABLE", 20)
    compactor = Compactor()
    rows = [compactor.task(task_of(n, item_of(f"name{n}"))) for n in range(30)]
    assert any("name29" in map(str, row) for row in rows[29][8])
    assert len(compactor.tables()["texts"]) == 20


def test_advice_that_softens_and_a_signal_are_told() -> None:
    tasks = [task_of(1, own(Verdict.BLOCKED))]
    facts = replace(LIVE_FACTS, advisory=True, interrupted_by="SIGTERM")
    page = page_of(run_of(tasks), tasks, facts)
    assert "Advisory." in page
    assert "by SIGTERM" in page


def test_a_result_that_follows_from_a_failed_item_is_no_cause_of_its_own() -> None:
    refused = own(Verdict.BLOCKED, "DRS says no")
    tasks = [task_of(1, refused, item_of("x", Verdict.BLOCKED)), task_of(2, refused)]
    page = page_of(run_of(tasks), tasks)
    assert page.count('<li class="cause ') == 2
    assert tasks[0].findings[0].kind is FindingKind.TASK


def test_without_jinja2_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from precheck_gate.errors import UsageError\n"
        "from precheck_gate.reports.base import load_format\n"
        "try: load_format('html')\n"
        "except UsageError as error: print(error.message, error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    assert "pip install 'Jinja2" in done.stdout
