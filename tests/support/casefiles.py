"""Case files for the tests of `policy test`: a policy, and short ways to cases for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.commands import Output, policy_test, write

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
version: 1
extends: builtin:strict
rules:
- {match: {item: a, status: ALARM}, effect: warn, reason: agreed}
- {match: {item: never}, effect: allow}
waivers:
- {id: W-1, match: {item: b}, reason: r, owner: o, expires: 2026-07-01}
- {id: W-2, match: {item: zzz}, reason: r, owner: o, expires: 2026-07-01}
profiles:
  staging:
    rules:
    - {match: {item: c}, effect: warn}
tasks:
  wave-*:
    rules:
    - {match: {item: d}, effect: allow}
"""

HEAD = "version: 1\npolicy: policy.yaml\nnow: 2026-06-15\ncases:\n"


def run(tmp_path: Path, cases: str, *arguments: str | Path, head: str = HEAD) -> Output:
    write(tmp_path, policy_yaml=POLICY)
    (tmp_path / "x.test.yaml").write_text(head + cases)
    return policy_test(tmp_path / "x.test.yaml", *arguments)


def case(given: str, expect: str, name: str = "it") -> str:
    return f"- name: {name}\n  {given}\n  expect: {{{expect}}}\n"
