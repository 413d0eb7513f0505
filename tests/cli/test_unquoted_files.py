"""A file that was handed in by mistake is not quoted: it may be the one with the passwords."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import precheck_gate
from precheck_gate.documents.validation import check
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.errors import DocumentError, UsageError
from tests.support.outcome import ID

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

SECRET = "correct horse battery"
ANSWER = str(Path(precheck_gate.__file__).parent / "simulator" / "answers" / "mysql.json")

FILES = {
    "a word": f"{SECRET}\n",
    "settings": f"DB_PASSWORD={SECRET}\nDB_USER=root\n",
    "hcl": f'password = "{SECRET}"\n',
    "a list": f"- {SECRET}\n",
    "an object": json.dumps({"password": SECRET}),
    "an object behind a known key": json.dumps(
        {"version": 1, "rules": SECRET, "waivers": [SECRET]}
    ),
    "a known key of another type": json.dumps({"version": 1, "statuses": {"ALARM": [SECRET]}}),
    "outputs": json.dumps({"db": {"sensitive": True, "value": SECRET}}),
    "an alias": f"password: *{SECRET.replace(' ', '')}\n",
    "a tag": f"password: !{SECRET.replace(' ', '')} x\n",
    "a directive": f"%{SECRET.replace(' ', '')} x\n",
    "broken YAML": f"a: b: {SECRET}\n",
    "an open quote": f'a: "{SECRET}\n',
    "a key twice": json.dumps({"a": 1}).replace("}", f', "a": "{SECRET}"}}'),
    "a report of another": json.dumps({"format": SECRET, "format_version": SECRET}),
    "a report of another version": json.dumps(
        {"format": "precheck-gate/report", "format_version": SECRET}
    ),
    "a report with a field of another type": json.dumps(
        {"format": "precheck-gate/report", "format_version": 1, "tool": SECRET, "verdict": SECRET}
    ),
    "a number": '{"pin": 271828182845904e999999999999999999}',
    "ini": f"[default]\npassword {SECRET}\n",
    "sections": "".join(f"[{SECRET} {n}]\n" for n in range(100)),
}

COMMANDS = {
    "policy": ["evaluate", ANSWER, "--policy", "FILE"],
    "answer": ["evaluate", "FILE"],
    "answer of a task": ["evaluate", "FILE", "--task", ID],
    "baseline": ["evaluate", ANSWER, "--baseline", "FILE"],
    "validate": ["policy", "validate", "FILE"],
    "lint": ["policy", "lint", "FILE"],
    "show": ["policy", "show", "FILE"],
    "cases": ["policy", "test", "FILE"],
    "report": ["report", "FILE", "--to", "markdown=-"],
    "diff": ["diff", "FILE", "FILE"],
    "scenario": ["simulate", "--port", "0", "--scenario", "FILE"],
    "token": ["run", ID, "--endpoint", "http://127.0.0.1:9", "--token-file", "FILE"],
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_quotes_a_file_of_another_kind(
    gate: Gate, tmp_path: Path, command: str, content: str
) -> None:
    file = tmp_path / "handed-in.test.yaml"
    file.write_text(content, "utf-8")
    argv = [word.replace("FILE", str(file)) for word in COMMANDS[command]]
    outcome = gate.main(*argv, with_reports=False)
    assert outcome.code in (2, 4), outcome.text
    for text in (SECRET, SECRET.replace(" ", ""), "battery", "271828182845904"):
        assert text not in outcome.text


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_of_credentials_is_not_quoted(
    gate: Gate, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    file = tmp_path / "credentials"
    file.write_text(content, "utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(file))
    url = serve("mysql").url
    outcome = gate.main(*gate.arguments(url), "--auth", "profile", "--profile-name", "ours")
    assert outcome.code == 2, outcome.text
    assert "battery" not in outcome.text
    assert len(outcome.text) < 4000


def test_what_is_wrong_has_its_place_all_the_same() -> None:
    document = parse_document(f"version: 1\nrules: {SECRET}\n", "policy.yaml")
    with pytest.raises(UsageError) as caught:
        check(document, "policy-1", "policy")
    assert "policy.yaml:2:8: rules: must be a list, not text" in caught.value.message


def test_problems_of_a_document_are_bounded_in_number() -> None:
    lines = "\n".join(f"key_{number}: x" for number in range(5000))
    document = parse_document(f"version: 1\n{lines}\n", "policy.yaml")
    with pytest.raises(DocumentError) as caught:
        check(document, "policy-1", "policy")
    assert len(caught.value.problems) == 5000
    assert len(caught.value.message) < 20_000
    assert "… and 4,980 more" in caught.value.message
