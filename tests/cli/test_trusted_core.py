"""Only the trusted core can make a run green: whatever else breaks, red stays red.

Each function outside of the core that a red run calls is made to raise, one after the other. The
run must end red all the same, and no report of it may say green.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections import defaultdict
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.__main__ import run_main
from precheck_gate.runtime.process import Runtime
from tests.support.harness import body, entry, item
from tests.support.outcome import ID, OTHER, PROJECT
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.support.fakes import FakeClock
    from tests.support.gate import Serve

PACKAGE = ROOT / "precheck_gate"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
REPORTS = {
    "json": "report.json",
    "html": "report.html",
    "sarif": "report.sarif",
    "markdown": "report.md",
    "codequality": "quality.json",
    "dotenv": "gate.env",
    "junit": "junit.xml",
}


def trusted() -> dict[str, int]:
    """Return the modules of the trusted core with their lines, as the page on architecture says."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    section = text.partition("## The trusted core")[2].partition("\n## ")[0]
    found: dict[str, int] = {}
    for name, lines in re.findall(r"`([\w./]+\.py)` \(([0-9,]+)\)", section):
        found[name] = int(lines.replace(",", ""))
    return found


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def is_in(module: str, parts: Iterable[str]) -> bool:
    return any(f"{module}.".startswith(f"{part}.") for part in parts)


CORE = tuple(module_of(path) for path in trusted())


def test_the_page_lists_modules_that_exist_with_their_lines() -> None:
    assert len(CORE) > 20
    for path, lines in trusted().items():
        real = len((PACKAGE / path).read_text(encoding="utf-8").splitlines())
        # Near enough for a reader; not a number to renew at every change.
        assert abs(real - lines) <= max(20, real // 5), f"{path} has {real} lines, not {lines}"


def test_what_only_shows_or_reports_is_not_in_the_core() -> None:
    assert not [name for name in CORE if is_in(name, ("reports", "ci", "cli.progress"))]
    assert {"judgement.second_key", "judgement.task", "judgement.run", "drs.api.v3_wire"} <= set(
        CORE
    )


def evaluate(folder: Path, entries: list[dict[str, Any]]) -> list[str]:
    answer = folder / "answer.json"
    answer.write_bytes(body(*entries))
    return ["evaluate", str(answer), f"--task={ID}", f"--task={OTHER}"]


def blocked(folder: Path, serve: Serve) -> list[str]:
    return evaluate(folder, [entry(ID, result=False, items=[item(result="FAILED")]), entry(OTHER)])


def incomplete(folder: Path, serve: Serve) -> list[str]:
    return evaluate(folder, [entry(ID, process="50%", result=None), entry(OTHER)])


def unanswered(folder: Path, serve: Serve) -> list[str]:
    return evaluate(folder, [entry(OTHER)])


def blocked_live(folder: Path, serve: Serve) -> list[str]:
    service = serve(
        f"""
version: 1
tasks:
  - {{id: {ID}, name: orders, items: [{{item: srcDbConnection, result: FAILED}}]}}
  - {{id: {OTHER}, name: users, items: [{{item: srcDbConnection}}]}}
"""
    )
    return ["run", ID, OTHER, "--endpoint", service.url, "--project-id", PROJECT, "--ci=github"]


RUNS: dict[str, tuple[Callable[[Path, Serve], list[str]], int]] = {
    "blocked": (blocked, 1),
    "incomplete": (incomplete, 3),
    "unanswered": (unanswered, 4),
    "blocked live": (blocked_live, 1),
}


@pytest.fixture
def red(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    serve: Serve,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], int]:
    """Return a run that is red, with every kind of report."""
    make, code = RUNS[request.param]
    monkeypatch.setattr(Runtime, "the_clock", lambda self: clock)
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV"):
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))
    argv = make(tmp_path, serve)
    argv += [f"--report={kind}={tmp_path / name}" for kind, name in REPORTS.items()]

    def run() -> int:
        for name in REPORTS.values():
            (tmp_path / name).unlink(missing_ok=True)
        found = run_main(argv)
        report = tmp_path / "report.json"
        if report.exists():
            assert json.loads(report.read_bytes())["verdict"] not in GREEN
        return found

    assert run() == code
    return run


GREEN = ("passed", "passed_with_warnings")


def called_by(run: Callable[[], int]) -> set[CodeType]:
    """Return the code of all functions of the package that a run calls."""
    seen: set[CodeType] = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return seen


def functions(codes: set[CodeType]) -> dict[str, list[FunctionType]]:
    """Return the functions with these codes that are outside of the core, by their modules."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__ in codes:
            package, _, module = str(one.__module__).partition(".")
            if package == PACKAGE.name and not is_in(module, (*CORE, "simulator")):
                found[module].append(one)
    return found


def raiser(free: int) -> CodeType:
    """Return the code of a function that raises, with so many variables of a function around it."""
    names = [f"v{number}" for number in range(free)]
    text = "\n".join(
        [
            "def outer():",
            *(f"    {name} = 0" for name in names),
            "    def inner(*args, **options):",
            f"        ({', '.join(names)})" if names else "        pass",
            "        raise RuntimeError('broken by the test')",
            "    return inner",
        ]
    )
    space: dict[str, Any] = {}
    exec(text, space)
    code: CodeType = space["outer"]().__code__
    return code


@pytest.mark.parametrize("red", RUNS, indirect=True)
def test_whatever_breaks_outside_of_the_core_red_stays_red(
    red: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    outside = functions(called_by(red))
    assert len(outside) > 10
    green: list[str] = []
    for function in [one for ones in outside.values() for one in ones]:
        whole = function.__code__
        function.__code__ = raiser(len(whole.co_freevars))
        try:
            code = red()
        finally:
            function.__code__ = whole
        if code == 0:
            green.append(f"{function.__module__}.{function.__qualname__}")
    capsys.readouterr()
    assert green == []
