"""The architecture holds: imports point downward, the core is pure, start-up is light."""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "precheck_gate"
PACKAGE = ROOT / NAME

_TEXT = ("text", "escaped", "secrets", "slips")
# From the ground up: a module may import from its own line and from those above it here. A
# package stands for all of its modules, unless one of them is named itself.
LAYERS = (
    ("", "exits", "model", *_TEXT, "wrapping", "strictjson", "redaction"),
    ("errors", "evidence", "reading"),
    ("interrupts", "clock", "documents", "schemas", "console", "catalog", "shortages"),
    ("policy",),
    ("findings", "context"),
    ("baseline", "advice", "consistency"),
    ("item_judgement", "outcome", "comparison"),
    ("judgement", "verdict", "second_key"),
    ("reports",),
    ("ci",),
    ("gate",),
    ("drs",),
    ("polling",),
    ("selection", "settings", "answers", "progress", "simulator"),
    ("task_filters",),
    ("casetest",),
    ("cli",),
    ("__main__",),
)

# What decides, and what the verdict is told with.
CORE = (
    *(
        "model",
        "findings",
        "context",
        "judgement",
        "item_judgement",
        "verdict",
        "second_key",
        "outcome",
    ),
    *("policy.model", "policy.reading", "policy.composition", "policy.evaluation"),
    *("text", "strictjson", "escaped", "evidence", "redaction", "comparison", "consistency"),
)
AFTER_SNAPSHOTS = (
    *("judgement", "item_judgement", "verdict", "second_key", "outcome", "gate", "ci", "reports"),
    *("policy", "findings", "context", "catalog"),
)
OUTER_WORLD = {
    *("os", "sys", "io", "socket", "ssl", "http", "urllib", "requests", "subprocess", "signal"),
    *("time", "random", "threading", "tempfile", "shutil", "logging", "pathlib"),
}


@functools.cache
def modules() -> dict[str, Path]:
    """Return each module's path by its name below the package, "" for the package itself."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that happen at run time, in functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from _statements(other)
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        else:
            yield from _statements(child)


@functools.cache
def imported(module: str) -> frozenset[str]:
    """Return the full names of what a module imports, modules as such wherever they are one."""
    names: set[str] = set()
    for statement in _statements(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            names.update(alias.name for alias in statement.names)
            continue
        assert statement.level == 0, f"{module} imports relatively"
        assert statement.module is not None
        for alias in statement.names:
            full = f"{statement.module}.{alias.name}"
            ours = full.removeprefix(f"{NAME}.") in modules() and full.startswith(NAME)
            names.add(full if ours else statement.module)
    return frozenset(names)


@functools.cache
def own_imports(module: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, packages around them included."""
    found: set[str] = set()
    for name in imported(module):
        head, _, rest = name.partition(".")
        if head == NAME:
            steps = rest.split(".")
            found.update(".".join(steps[:length]) for length in range(1, len(steps) + 1))
    return frozenset(name for name in found if not f"{module}.".startswith(f"{name}."))


def foreign_imports(module: str) -> set[str]:
    """Return the top-level names of other packages that a module imports."""
    return {name.partition(".")[0] for name in imported(module)} - {NAME, "__future__"}


def layer_of(module: str) -> int:
    """Return the number of a module's layer, the ground being 0."""
    name = module
    while True:
        for number, layer in enumerate(LAYERS):
            if name in layer:
                return number
        if "." not in name:
            raise AssertionError(f"{module} stands in no layer: give it a place in LAYERS")
        name = name.rpartition(".")[0]


def is_in(module: str, parts: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{part}.") for part in parts)


def reachable(module: str) -> set[str]:
    """Return all modules of this package that a module leads to."""
    found: set[str] = set()
    ahead = [module]
    while ahead:
        for name in own_imports(ahead.pop()) - found:
            found.add(name)
            ahead.append(name)
    return found


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_downward(module: str) -> None:
    upward = {name for name in own_imports(module) if layer_of(name) > layer_of(module)}
    assert not upward, f"{module} imports from above: {sorted(upward)}"


def test_no_import_goes_in_a_circle() -> None:
    circles = {module for module in modules() if module in reachable(module)}
    assert not circles


def test_every_line_of_the_layers_is_about_a_module() -> None:
    assert {name for layer in LAYERS for name in layer} <= set(modules())


@pytest.mark.parametrize("module", sorted(name for name in modules() if is_in(name, CORE)))
def test_the_core_knows_nothing_of_the_outer_world(module: str) -> None:
    assert not foreign_imports(module) & OUTER_WORLD
    # Dates may be compared; what day it is comes from outside.
    text = modules()[module].read_text(encoding="utf-8")
    assert ".now(" not in text
    assert ".today()" not in text


@pytest.mark.parametrize(
    "module", sorted(name for name in modules() if is_in(name, AFTER_SNAPSHOTS))
)
def test_what_comes_after_the_snapshots_never_leads_to_the_client(module: str) -> None:
    around = {module} | reachable(module)
    assert not [name for name in around if is_in(name, ("drs", "polling", "settings"))]
    assert not [name for name in around if "requests" in foreign_imports(name)]


def test_only_drs_and_its_stand_in_speak_over_the_network() -> None:
    network = {"requests", "socket", "http", "ssl", "socketserver"}
    speakers = {name for name in modules() if foreign_imports(name) & network}
    allowed = ("drs", "simulator", "settings")  # settings tries whether a CA bundle can be loaded
    assert not [name for name in speakers if not is_in(name, allowed)]


def test_nothing_imports_the_command_line() -> None:
    others = [name for name in modules() if not is_in(name, ("cli", "__main__"))]
    assert not [name for name in others if is_in("cli", tuple(own_imports(name)))]
    clicking = {name for name in modules() if "click" in foreign_imports(name)}
    assert all(is_in(name, ("cli", "__main__")) for name in clicking)


def test_a_wrong_import_would_be_found() -> None:
    # The tests above are worth something only if they see what is there.
    assert "drs.wire" in own_imports("answers.reading")
    assert "findings" in own_imports("judgement")
    assert "item_judgement" in own_imports("judgement")
    assert "cli.execution" in own_imports("__main__")
    assert {"requests"} <= foreign_imports("drs.transport")
    assert "drs.transport" in reachable("cli.run")
    assert "polling.events" not in own_imports("polling.cadence")
    assert "context" not in own_imports("judgement"), "it imports that for types only"


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
    assert {name for name in ours if name.startswith("cli.")} <= {"cli.runtime", "cli.lazy"}


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
    for name in ("drs.client", "drs.transport", "drs.auth", "polling.poller", "simulator"):
        assert f"{NAME}.{name}" not in loaded
