"""The linter of Jenkins pipelines has no error; slow to start, so only in: make e2e."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.tools import java_home, node_package
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not os.environ.get("PRECHECK_GATE_E2E"), reason="takes about 20 s a run; see: make e2e"
)


def lint(folder: Path) -> dict[str, Any]:
    """Return what npm-groovy-lint has to say about each file below a folder."""
    package = node_package("npm-groovy-lint")
    done = subprocess.run(
        [
            *("node", str(package / "lib" / "index.js"), "--noserver", "--parse"),
            *("--path", str(folder), "--files", "**/*.groovy,**/*Jenkinsfile"),
            *("--output", "json", "--failon", "error", "--loglevel", "error"),
        ],
        env=os.environ | {"JAVA_HOME": java_home()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    files: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])["files"]
    assert files, done.stdout + done.stderr
    return {name: list(filter(counts, one["errors"])) for name, one in files.items()}


def counts(problem: dict[str, Any]) -> bool:
    """Return whether a problem is an error; the variable of ``@Library('x') _`` is none."""
    return problem["severity"] == "error" and "variable [_]" not in problem["msg"]


@pytest.mark.parametrize("folder", ["examples/jenkins", "integrations/jenkins"])
def test_npm_groovy_lint_finds_no_error(folder: str) -> None:
    found = lint(ROOT / folder)
    assert found
    assert not any(found.values()), found


def test_npm_groovy_lint_would_find_what_is_not_groovy(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "jenkins" / "Jenkinsfile").read_text("utf-8")
    (tmp_path / "Jenkinsfile").write_text(text.replace("stages {", "stages {{", 1), "utf-8")
    assert any(lint(tmp_path).values())
