"""The core is pure and start-up is light. Who may import whom stands in pyproject.toml."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.mutation.__main__ import TESTS
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NAME = "precheck_gate"
PACKAGE = ROOT / NAME
CORE = sorted(
    path
    for package in ("catalog", "judgement", "model", "policy", "safetext")
    for path in (PACKAGE / package).rglob("*.py")
)


@pytest.mark.parametrize("path", CORE, ids=[str(path.relative_to(PACKAGE)) for path in CORE])
def test_the_core_has_neither_a_clock_nor_an_environment(path: Path) -> None:
    # Dates may be compared; what day it is comes from outside.
    text = path.read_text(encoding="utf-8")
    assert not [word for word in (".now(", ".today()", "environ", "getenv") if word in text]


def test_mutation_names_modules_and_tests_that_exist() -> None:
    for module, tests in TESTS.items():
        assert importlib.util.find_spec(f"{NAME}.{module}"), module
        assert not [path for path in tests if not (ROOT / path).exists()], module


HEAVY = ("requests", "urllib3", "jsonschema", "junit_xml", "jinja2", "rich", "huaweicloudsdkcore")


def loaded_by(*arguments: str) -> set[str]:
    """Return the modules that a call of the program has loaded at its end."""
    program = (
        "import json, sys\n"
        "from precheck_gate.__main__ import run_main\n"
        "code = run_main(sys.argv[1:])\n"
        "print(); print(json.dumps([code, sorted(sys.modules)]))"
    )
    ours = f"{NAME.upper()}_"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={name: text for name, text in os.environ.items() if not name.startswith(ours)},
        timeout=60,
        capture_output=True,
        check=True,
    )
    code, names = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(names)


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_version_and_help_load_nothing_heavy(option: str) -> None:
    loaded = loaded_by(option)
    assert not [name for name in HEAVY if name in loaded]
    ours = {name.removeprefix(f"{NAME}.") for name in loaded if name.startswith(f"{NAME}.")}
    assert {name for name in ours if name.startswith("cli.")} <= {"cli.app"}


def test_help_does_not_load_yaml() -> None:
    assert "yaml" not in loaded_by("--help")


def test_version_loads_neither_click_nor_yaml() -> None:
    assert not {"click", "yaml"} & loaded_by("--version")


def test_evaluate_loads_neither_the_client_nor_what_it_does_not_need(tmp_path: Path) -> None:
    answer = PACKAGE / "simulator" / "answers" / "mysql.json"
    loaded = loaded_by("evaluate", str(answer), "--report", f"json={tmp_path / 'report.json'}")
    assert "precheck_gate.reports.json_report" in loaded
    for name in ("requests", "socket", "jsonschema", "junit_xml"):
        assert name not in loaded
    for name in ("drs.api.v3", "drs.http.transport", "drs.auth.session", "polling.poller"):
        assert importlib.util.find_spec(f"{NAME}.{name}")
        assert f"{NAME}.{name}" not in loaded
