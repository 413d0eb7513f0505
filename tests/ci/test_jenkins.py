"""The Jenkinsfile's structure: no parser of Groovy, but what must not get lost."""

from __future__ import annotations

import re

import click
import pytest

from precheck_gate.cli.run import run as run_command

from .composite import ROOT

TEXT = (ROOT / "examples" / "jenkins" / "Jenkinsfile").read_text("utf-8")
CODE = re.sub(r"(?m)^\s*//.*$", "", TEXT)


def block(name: str, text: str = CODE) -> str:
    """Return what stands between the braces after ``name``."""
    start = text.index("{", text.index(name))
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start + 1 : position]
    raise AssertionError(f"{name} is not closed")


GATE = block("stage('Pre-check gate')")


def test_brackets_and_quotes_are_balanced() -> None:
    strings = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
    bare = strings.sub("", CODE)
    assert not set("'\"") & set(bare)
    stack = []
    pairs = {")": "(", "]": "[", "}": "{"}
    for character in bare:
        if character in pairs.values():
            stack.append(character)
        elif character in pairs:
            assert stack.pop() == pairs[character]
    assert stack == []


def test_the_gate_comes_before_the_migration_and_nothing_softens_its_error() -> None:
    stages = re.findall(r"stage\('([^']+)'\)", block("stages"))
    assert stages == ["Pre-check gate", "Migrate"]
    assert "post" not in block("stage('Migrate')")
    for softener in ("catchError", "warnError", "try", "propagate", "parallel", "|| true"):
        assert softener not in CODE


def test_each_exit_code_has_its_consequence() -> None:
    script = block("script")
    assert "returnStatus: true" in script
    assert re.search(r"script: '\.precheck-gate/bin/precheck-gate run'", script)
    match = re.search(
        r"if \(code == (\d+)\) \{\s*unstable\(.*\)\s*\} else if \(code != 0\) \{\s*error\(", script
    )
    assert match
    assert f"PRECHECK_GATE_WARN_EXIT_CODE = '{match[1]}'" in GATE


def test_reports_are_published_on_every_outcome() -> None:
    always = block("always", block("post", GATE))
    assert re.search(r"junit testResults: '([^']+)'", always)
    assert "allowEmptyResults: true" in always
    assert "skipMarkingBuildUnstable: true" in always
    assert "PRECHECK_GATE_JUNIT = 'precheck-gate-junit.xml'" in GATE


def test_the_token_is_bound_for_the_gate_alone_and_in_no_shell_text() -> None:
    bound = block("withCredentials")
    assert "variable: 'PRECHECK_GATE_TOKEN'" in CODE
    assert "precheck-gate run" in bound
    assert "pip install" not in bound
    for command in re.findall(r"\bsh[ (](?:.*script: )?(['\"])(.*)\1", CODE):
        assert command[0] == "'", "double quotes would let Groovy write values into the command"
        assert "TOKEN" not in command[1]


def test_the_gate_gives_up_before_jenkins_does() -> None:
    assert "timeout(time: 1, unit: 'HOURS')" in GATE
    assert "PRECHECK_GATE_TIMEOUT = '45m'" in GATE


def test_every_variable_is_one_that_the_gate_reads() -> None:
    known = {"PRECHECK_GATE_TOKEN", "PRECHECK_GATE_TASKS"}
    for option in run_command.params:
        if isinstance(option, click.Option):
            given = option.envvar
            known |= {given} if isinstance(given, str) else set(given or ())
    assert set(re.findall(r"PRECHECK_GATE_\w+", CODE)) <= known


def test_the_block_finder_notices_what_is_not_closed() -> None:
    with pytest.raises(AssertionError, match="not closed"):
        block("stages", "stages { {")
