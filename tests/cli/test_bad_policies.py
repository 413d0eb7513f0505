"""Policy files that cannot be used: exit 2 with file, line, column and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


def run_policy(gate: Gate, serve: Serve, policy: Path) -> Outcome:
    service = serve("mysql")
    outcome = gate.run(service.url, "--policy", str(policy))
    assert outcome.code == 2
    assert service.requests == ()
    outcome.says(str(policy))
    outcome.reports(str(policy))
    return outcome


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ("version: 1\nstatusses: {}\n", 2, 1, ["'statusses'", "did you mean 'statuses'?"]),
        ("version: 1\nrules:\n  - match: {itm: a}\n    effect: allow\n", 3, 13,
         ["rules[0].match.itm", "did you mean 'item'?"]),
        ("version: 1\nlimits: {max_warnings: many}\n", 2, 24,
         ["limits.max_warnings", "must be a whole number"]),
        ("version: 1\nstatuses: {ALARM: alow}\n", 2, 19,
         ["statuses.ALARM", "must be one of", "did you mean 'allow'?"]),
        ("- version: 1\n", 1, 1, ["must be a mapping"]),
        ("version: 2\n", 1, 10, ["must be 1"]),
        ("statuses: {}\n", 1, 1, ["missing key 'version'"]),
        ("version: 1\nstatuses: {ALARM: allow\n", 3, 1, ["cannot be read"]),
        ("version: 1\n\tstatuses: {}\n", 2, 1, ["indent YAML with spaces"]),
        ("version: 1\nallow_empty: false\nallow_empty: true\n", 3, 1,
         ["duplicate key 'allow_empty'", "first in line 2"]),
        ('{"version": 1,\n "allow_empty": true, "allow_empty": false}', 2, 23, ["duplicate key"]),
        ("version: 1\nallow_empty: !!python/object/apply:os.system [x]\n", 2, 14, ["allow_empty"]),
        ("version: 1\n---\nversion: 1\n", 2, 1, ["single document"]),
    ],
    ids=["wrong key", "wrong key within", "wrong type", "wrong word", "no mapping",
         "wrong version", "missing key", "YAML error", "tab", "duplicate key",
         "duplicate key in JSON", "tag", "second document"],
)  # fmt: skip
def test_a_mistake_is_shown_with_its_place(
    gate: Gate, serve: Serve, tmp_path: Path, content: str, line: int, column: int, words: list[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(content)
    outcome = run_policy(gate, serve, policy)
    outcome.says(f"{policy}:{line}:{column}: ", *words)


def test_every_mistake_is_shown_at_once(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nfoo: 1\nlimits: {max_warnings: -1}\n")
    run_policy(gate, serve, policy).says(f"{policy}:2:1", f"{policy}:3:24")


def test_an_alias_bomb(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"version: 1\n{BOMB}")
    run_policy(gate, serve, policy).says("expands to more than")


def test_a_policy_nested_beyond_reason(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("[" * 1_500)
    run_policy(gate, serve, policy)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version: 1 \xff", "is not valid UTF-8"),
        (b"#" * (1024 * 1024 + 1), "is larger than"),
    ],
    ids=["empty", "not UTF-8", "too large"],
)
def test_a_file_that_is_no_policy(
    gate: Gate, serve: Serve, tmp_path: Path, content: bytes, words: str
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(content)
    run_policy(gate, serve, policy).says(words)


def test_a_policy_that_is_not_there(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    run_policy(gate, serve, tmp_path / "none.yaml").says("No such file", "Check the path")


def test_a_folder_as_policy(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    run_policy(gate, serve, tmp_path).says("Is a directory", "Check the path")
