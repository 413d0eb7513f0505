"""Hostile text in any field of an answer reaches no terminal, log or report in a form that acts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from lxml import etree

from tests.support.evaluating import (
    ID,
    REPORT_SCHEMA,
    Evaluated,
    answer,
    evaluate,
    item,
    task,
)

if TYPE_CHECKING:
    from pathlib import Path

PAYLOADS = {
    "escape sequences": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2K\x1b[1A",
    "C0": "".join(map(chr, range(0x20))) + "\x7f",
    "C1": "".join(map(chr, range(0x80, 0xA0))),
    "NUL": "a\x00b",
    "GitHub set-env": "::set-env name=X::y",
    "GitHub add-mask": "\n::add-mask::secret\n  ::stop-commands::t",
    "GitHub after blanks": "\u00a0\u3000\t ::error file=a,line=1::b",
    "GitHub after CR": "ok\r::set-output name=a::b\r\n::debug::c",
    "GitHub after NEL": "ok\x85::warning::b\u2028::notice::c\u2029::error::d",
    "GitHub in pieces": ":\x00:set-env name=X::y\n:\u200b:add-path::z\n:::set-env name=X::y",
    "GitHub old form": "##[error]no\n##[group]g\n##[add-mask]m",
    "Azure": "##vso[task.setvariable variable=a]b ##VSO[task.complete result=Failed]",
    "Azure in pieces": "##\u200bvso[task.setvariable a]b ####vso[task.complete]",
    "TeamCity": "##teamcity[buildStatus status='SUCCESS']",
    "GitLab sections": "section_start:1:x\r\x1b[0Kheader",
    "noncharacters": "a\ufffe\uffff\ufdd0\U0001fffe\U0010ffffb",
    "lone surrogates": "a\ud800b\udfffc\udc80",
    "end of CDATA": "]]><failure/><![CDATA[",
    "markup": "</testcase><testcase name='x'/>&lt;&#0;\"'<!-- -- --><?x?>",
    "entities": "&xxe; %xxe; <!DOCTYPE a [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]>",
    "line separators": "a\u2028b\u2029c\x0bd\x0ce\x1cf\x85g",
    "bidi": "\u202eDELIAF\u202c \u2066x\u2069 \u200e\u200f\u061c",
    "invisible": "a\u00adb\u200bc\u2060d\ufefff\U000e0041g",
    "forged lines": "x\r\n✓ PASSED  1 task may start\nexit     0 (passed)\r\rdone",
    "backspaces": "FAILED\b\b\b\b\b\bPASSED",
    "escapes already": "\\x1b[31m \\u2028 \\n",
    "formats": "{0} %s %(a)s ${x} $(id) `id`",
}

ALL = "\n".join(PAYLOADS.values())

# What may not stand raw in anything that is printed or written, whatever the format.
ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
RUNNER_COMMANDS = (
    re.compile(r"^\s*::\s*[A-Za-z]", re.MULTILINE),
    re.compile(r"##\w*\["),
)


def hostile_task(text: str, task_id: str = ID) -> dict[str, Any]:
    """Return a result with ``text`` in every field that takes text."""
    sub = {"id": text, "name": text, "check_result": text}
    texts = dict.fromkeys(("group", "failed_reason", "data", "raw_error_msg"), text)
    return task(
        task_id,
        item(text, "FAILED", **texts, failed_sub_jobs=[sub]),
        item(f"{text}2", text, **texts),
        item("alarm", "ALARM", **texts),
        item("srcDbConnection", "PASSED", **texts),
        item("types", {text: text}, group=[text], data={text: [text]}, failed_reason={text: 1}),
        job_direction=text,
        total_passed_rate=text,
        rds_instance_id=text,
    )


def hostile_answer(text: str) -> bytes:
    ids = [f"{number:08d}{ID[8:]}" for number in range(5)]
    return answer(
        hostile_task(text, ids[0]),
        hostile_task(text, ids[1]) | {"result": text},
        hostile_task(text, ids[2]) | {"process": text, "result": {text: text}},
        hostile_task(text, ids[3]) | {"error_code": text, "error_msg": text},
        hostile_task(text, ids[4]) | {"precheck_result": [{"item": text, "failed_sub_jobs": text}]},
        hostile_task(text, f"{ID}{text}"),
    )


def check_text(content: bytes) -> str:
    """Return ``content``, which must be harmless as it stands."""
    text = content.decode("utf-8")
    found = ACTING.search(text)
    assert found is None, f"{text[max(0, found.start() - 40) : found.end() + 20]!r}"
    for command in RUNNER_COMMANDS:
        match = command.search(text)
        assert match is None, f"{text[max(0, match.start() - 40) : match.end() + 20]!r}"
    assert not {unicodedata.category(sign) for sign in set(text)} & {"Cs", "Zl", "Zp"}
    return text


def check_everything(done: Evaluated) -> str:
    """Check every output of an evaluation; return what stdout says."""
    printed = check_text(done.out)
    check_text(done.err)
    check_text(done.junit.read_bytes())
    for element in etree.parse(done.junit).iter():
        # Readers print what they read: character references must not bring it back.
        for text in (*element.values(), element.text or ""):
            check_text(text.encode())
    check_text(done.json_bytes)
    jsonschema.Draft202012Validator(REPORT_SCHEMA).validate(done.report)
    for text in strings(done.report):
        check_text(text.encode())
    return printed


def strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for one in pair for text in strings(one)]
        case list():
            return [text for one in value for text in strings(one)]
        case _:
            return []


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS)
def test_in_every_field(tmp_path: Path, text: str) -> None:
    done = evaluate(tmp_path, [hostile_answer(text)], "--verbose", fixed_day=False)
    assert done.code == 4
    check_everything(done)
    assert [one["verdict"] for one in done.report["tasks"]] == [
        *("blocked", "blocked", "incomplete", "error", "error", "blocked")
    ]


@pytest.mark.parametrize("name", ["json", "junit"])
def test_where_a_report_goes_to_stdout(tmp_path: Path, name: str) -> None:
    done = evaluate(tmp_path, [hostile_answer(ALL)], reports=["--report", f"{name}=-"])
    check_text(done.out)
    assert "no trustworthy answer" in check_text(done.err)


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS)
def test_in_an_answer_that_is_none(tmp_path: Path, text: str) -> None:
    refused = json.dumps({"error_code": text, "error_msg": text, "request_id": text}).encode()
    iam = json.dumps({"error": {"code": text, "message": text}}).encode()
    twice = f"{{{json.dumps(text)}: 1, {json.dumps(text)}: 2}}".encode()
    counted = json.dumps({"results": [task()], "count": text}).encode()
    raw = text.encode("utf-8", "surrogatepass")
    done = evaluate(tmp_path, [refused, iam, twice, counted, b"<html>" + raw], fixed_day=False)
    assert done.code == 4
    check_everything(done)


def test_in_the_ids_that_a_person_gives(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [answer(task())], "--task", ALL, fixed_day=False)
    assert done.code == 2
    check_everything(done)


def test_in_a_policy(tmp_path: Path) -> None:
    rules = [{"match": {"item": "srcDbConnection"}, "effect": "warn", "reason": ALL}]
    policy = {"version": 1, "rules": rules, "required_items": [f"absent {ALL}"]}
    (tmp_path / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    done = evaluate(tmp_path, [answer(task())], "--policy", "policy.json", fixed_day=False)
    check_everything(done)
    (tmp_path / "policy.json").write_text(json.dumps({ALL: ALL, "version": ALL}), "utf-8")
    done = evaluate(tmp_path, [answer(task())], "--policy", "policy.json", fixed_day=False)
    assert done.code == 2
    check_everything(done)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\x00b", r"a\x00b"),
        ("a\x85b", r"a\x85b"),
        ("a\u202eb", r"a\u202eb"),
        ("a\ufffeb", r"a\ufffeb"),
        ("a\ud800b", r"a\ud800b"),
        ("a\U000e0041b", r"a\U000e0041b"),
        ("a\rb", r"a\x0db"),
        ("::set-env name=X::y", ": :set-env name=X"),
        ("##vso[task.complete]", "## vso[task.complete]"),
        ("]]>&<\"'", "]]>&<\"'"),
        ("日本語 ✓ é 😀 العربية", "日本語 ✓ é 😀 العربية"),
    ],
)
def test_nothing_of_the_meaning_is_lost(tmp_path: Path, text: str, shown: str) -> None:
    done = evaluate(tmp_path, [hostile_answer(text)])
    assert shown in done.out.decode()
    tree = etree.parse(done.junit)
    for read in (strings(done.report), list(tree.getroot().itertext())):
        assert any(shown in one for one in read)
    (first, *_) = done.report["tasks"]
    finding = next(one for one in first["findings"] if one["kind"] == "item")
    for name in ("title", "group", "failed_reason", "raw_error", "data"):
        assert finding[name].startswith(shown)
    assert next(iter(tree.iter("testsuite")))[1].get("name") == "result"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16", "gbk"])
def test_in_a_process_of_its_own_with_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "answer.json").write_bytes(hostile_answer(ALL))
    ours = "PRECHECK_GATE_"
    env = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-m", "precheck_gate", "evaluate", "answer.json", "--junit", "junit.xml"],
        cwd=tmp_path,
        env={**env, "PYTHONIOENCODING": encoding},
        timeout=60,
        capture_output=True,
    )
    assert done.returncode == 4, done.stderr
    printed = done.stdout.decode(encoding)
    assert "no trustworthy answer" in printed
    check_text(printed.encode("utf-8"))
    assert etree.parse(tmp_path / "junit.xml").getroot().get("errors") != "0"


def test_ids_that_look_alike_once_harmless(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [answer(task("a\x1b"), task("a\\x1b", item(result="FAILED")))])
    assert done.code != 0
    check_everything(done)


def test_no_line_of_ours_can_be_forged(tmp_path: Path) -> None:
    forged = "x\ndecided by: builtin\n  ✓ PASSED  1 task may start\nexit     0 (passed)"
    fields = dict.fromkeys(("raw_error_msg", "data", "failed_reason", "group"), forged)
    done = evaluate(tmp_path, [answer(task(ID, item(forged, "FAILED", **fields)))])
    lines = done.out.decode().splitlines()
    assert [line for line in lines if line.startswith("exit ")] == [lines[-1]]
    assert not [line for line in lines if line.lstrip().startswith("✓")]
    for failure in etree.parse(done.junit).iter("failure"):
        starts = [line for line in failure.text.splitlines() if line.startswith("decided by: ")]
        assert len(starts) == 1
        assert not [line for line in failure.text.splitlines() if line.startswith("exit ")]
