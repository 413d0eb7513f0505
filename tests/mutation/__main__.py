"""Mutation test of the modules that decide: `make mutants`.

Each mutant runs in a process of its own, forked from one that has loaded the libraries but nothing
of the project, against the files of tests that call the changed function. A mutant that no test
tells from the original has survived; one that makes the tests run without end is killed by the
clock.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.mutation.mutants import Mutant, mutants_of
from tests.support.paths import ROOT

if TYPE_CHECKING:
    import ast
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import FrameType, ModuleType

PACKAGE = "precheck_gate"
LEAST = 95.0
# A mutant may take so many seconds, and so many times as long as its tests without a mutation.
SECONDS = 60
TIMES = 4

_CORE = (
    "tests/unit/judgement",
    "tests/unit/model",
    "tests/unit/documents",
    "tests/unit/drs/api",
    "tests/unit/drs/http",
    "tests/unit/polling",
    "tests/unit/policy/test_policy.py",
    "tests/unit/test_gate.py",
    "tests/unit/test_how_a_gate_ends.py",
    "tests/unit/saved/test_saved_answers.py",
    "tests/unit/reports/test_evidence.py",
    "tests/cli/test_exit_code_table.py",
)
_POLICY = (
    "tests/unit/policy",
    "tests/unit/saved/test_baseline.py",
    "tests/unit/saved/test_known_and_allowed.py",
    "tests/unit/reports/test_words_in_reports.py",
    "tests/cli/policy",
    "tests/cli/test_diff.py",
)
_WIRE = (*_CORE, "tests/cli/task_lists", "tests/cli/test_bad_answers.py")
_POLLING = (
    "tests/unit/polling",
    "tests/unit/drs/api",
    "tests/unit/drs/http/test_manners.py",
    "tests/cli/test_bad_days.py",
)
_SAVED = ("tests/unit/saved",)
_READBACK = (
    "tests/unit/saved",
    "tests/cli/test_report.py",
    "tests/unit/reports/test_exit_code_told.py",
)
_READING = ("tests/unit/runtime/test_reading.py", "tests/e2e/test_inputs_that_never_end.py")
_TEXT = (
    "tests/unit/safetext",
    "tests/unit/reports/test_hostile_text.py",
    "tests/unit/drs/auth",
    "tests/cli/credentials",
)

# The modules that decide what is green, and what may be shown; the tests of each, the quick first.
TESTS: dict[str, tuple[str, ...]] = {
    "model.snapshots": _CORE,
    "model.verdicts": (*_CORE, *_POLICY),
    "judgement.task": (*_CORE, *_POLICY),
    "judgement.run": (*_CORE, *_POLICY),
    "judgement.second_key": ("tests/unit/judgement/test_second_key.py",),
    "gate": (
        *_CORE,
        "tests/unit/reports/test_json_report.py",
        "tests/unit/reports/test_exit_code_told.py",
    ),
    "policy.loading": _POLICY,
    "policy.model": (*_CORE, *_POLICY),
    "documents.strict_json": _WIRE,
    "drs.http.replies": _WIRE,
    "drs.api.v3_wire": _WIRE,
    "drs.api.v5": _WIRE,
    "polling.events": _POLLING,
    "polling.poller": _POLLING,
    "polling.retries": _POLLING,
    "polling.starting": _POLLING,
    "polling.timing": _POLLING,
    "polling.watch": _POLLING,
    "cli.options.tasks": ("tests/cli/task_lists",),
    "api": ("tests/cli/test_python_api.py",),
    "model.json_values": ("tests/unit/model/test_json_values.py", *_SAVED),
    "model.report": _READBACK,
    "saved.answers": _SAVED,
    "saved.archive": (
        *_SAVED,
        "tests/unit/safetext/test_spellings.py",
        "tests/cli/credentials",
    ),
    "saved.reports": _READBACK,
    "saved.run_file": _SAVED,
    "runtime.reading": _READING,
    "safetext.cleaning": _TEXT,
    "safetext.secrets": _TEXT,
}


@dataclass
class Score:
    """What became of the mutants of one module."""

    killed: int = 0
    survived: list[str] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """The share of mutants that were killed."""
        return 100.0 * self.killed / max(1, self.killed + len(self.survived))


def main(arguments: Sequence[str]) -> int:
    """Run a sample of the mutants, print the score of each module, return 1 below `LEAST`."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as drs.api.v3; default: all that decide")
    parser.add_argument("--sample", type=int, default=200, help="how many mutants; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    chosen = _chosen(options.modules or list(TESTS), options.sample, options.seed)
    callers = _watch(list(dict.fromkeys(module for module, _ in chosen)))
    if not callers:
        print("the tests fail without a mutation")  # noqa: T201
        return 2
    scores = _scores(chosen, callers, options.jobs)
    for module, score in scores.items():
        total = score.killed + len(score.survived)
        print(f"{module:<20} {score.killed:>4} of {total:>4} killed, {score.percent:5.1f} %")  # noqa: T201
    whole = Score(
        sum(score.killed for score in scores.values()),
        [line for score in scores.values() for line in score.survived],
    )
    for line in whole.survived:
        print(f"survived: {line}")  # noqa: T201
    print(f"all: {whole.percent:.1f} % of {len(chosen)} mutants, seed {options.seed}")  # noqa: T201
    return 0 if whole.percent >= LEAST else 1


def _chosen(modules: Sequence[str], sample: int, seed: int) -> list[tuple[str, Mutant]]:
    every = [
        (module, mutant) for module in modules for mutant in mutants_of(_path(module).read_text())
    ]
    if not sample or sample >= len(every):
        return every
    chosen = random.Random(seed).sample(range(len(every)), sample)
    return [every[index] for index in sorted(chosen)]


def _path(module: str) -> Path:
    base = ROOT / PACKAGE / module.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@dataclass(frozen=True)
class Callers:
    """Which files of tests call which function of a module, the quickest first.

    Attributes:
        files: all of them.
        of: those that call a function, by its first line.
        seconds: how long each of them took.
    """

    files: list[str]
    of: dict[int, list[str]]
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the files that may tell a mutant from the original."""
        return self.of.get(mutant.function, []) if mutant.function else self.files

    def limit(self, tests: Sequence[str]) -> int:
        """Return after how many seconds tests do not end any more, on a busy machine too."""
        return SECONDS + TIMES * int(sum(self.seconds[test] for test in tests))


class _Watcher:
    """A plugin of pytest that notes what `Callers` holds."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._seconds: dict[str, float] = {}
        self._callers: dict[str, dict[int, set[str]]] = {module: {} for module in modules}
        self._of_file = {str(_path(module)): self._callers[module] for module in modules}
        self._file = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Note the calls of one test, and how long it took."""
        self._file = item.nodeid.partition("::")[0]
        began = time.perf_counter()
        sys.settrace(self._note)
        threading.settrace(self._note)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            before = self._seconds.get(self._file, 0.0)
            self._seconds[self._file] = before + time.perf_counter() - began

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        called = self._of_file.get(frame.f_code.co_filename)
        if called is not None:
            called.setdefault(frame.f_code.co_firstlineno, set()).add(self._file)

    def write(self, path: Path) -> None:
        """Write what was noted, for the process that reads it."""
        order = sorted(self._seconds, key=self._seconds.__getitem__)
        of = {
            module: {
                line: [file for file in order if file in files] for line, files in called.items()
            }
            for module, called in self._callers.items()
        }
        path.write_text(json.dumps({"files": order, "of": of, "seconds": self._seconds}))


def _watch(modules: Sequence[str]) -> dict[str, Callers]:
    """Run the tests of some modules as they are; return who calls what, {} where they fail."""
    tests = list(dict.fromkeys(test for module in modules for test in TESTS[module]))
    with tempfile.TemporaryDirectory() as folder:
        noted = Path(folder) / "callers.json"
        child = _start("", None, tests, watcher=_Watcher(modules), noted=noted)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            return {}
        found = json.loads(noted.read_text())
    callers = {}
    for module, of in found["of"].items():
        files = [file for file in found["files"] if _is_test_of(module, file)]
        called = {int(line): [one for one in files if one in by] for line, by in of.items()}
        callers[module] = Callers(files, called, found["seconds"])
    return callers


def _is_test_of(module: str, file: str) -> bool:
    return any(f"{file}/".startswith(f"{test}/") for test in TESTS[module])


def _scores(
    chosen: Sequence[tuple[str, Mutant]], callers: Mapping[str, Callers], jobs: int
) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    running: dict[int, tuple[str, Mutant]] = {}
    waiting = list(reversed(chosen))
    while waiting or running:
        while waiting and len(running) < jobs:
            module, mutant = waiting.pop()
            tests = callers[module].tests(mutant)
            limit = callers[module].limit(tests)
            running[_start(module, mutant.tree, tests, limit)] = module, mutant
        child, status = os.wait()
        module, mutant = running.pop(child)
        score = scores.setdefault(module, Score())
        if os.waitstatus_to_exitcode(status) != 0:
            score.killed += 1
            continue
        line = _path(module).read_text().splitlines()[mutant.line - 1].strip()
        score.survived.append(f"{module}:{mutant.line} {mutant.what}  |  {line}")
        print(f"  {time.strftime('%H:%M:%S')} {score.survived[-1]}", flush=True)  # noqa: T201
    return dict(sorted(scores.items(), key=lambda one: list(TESTS).index(one[0])))


def _start(
    module: str,
    tree: ast.Module | None,
    tests: Sequence[str],
    limit: int = 0,
    *,
    watcher: _Watcher | None = None,
    noted: Path | None = None,
) -> int:
    """Run tests in a child process, with the module changed if a tree is given; return its ID."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        if tree is not None:
            signal.alarm(limit)
            sys.meta_path.insert(0, _Mutated(f"{PACKAGE}.{module}", tree))
        # What no test calls, no test can tell from the original.
        code = _test(tests, [watcher] if watcher else []) if tests else 0
        if watcher is not None and noted is not None:
            watcher.write(noted)
    finally:
        os._exit(code)


def _test(paths: Sequence[str], plugins: Sequence[object]) -> int:
    # The same examples each time, and none that an earlier mutant failed on.
    os.environ["CI"] = "1"
    options = ["-x", "-q", "-m", "not peer", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # loaded before the fork
    return int(pytest.main([*options, *(str(ROOT / path) for path in paths)], list(plugins)))


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a module its changed code."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._tree = tree

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where the module comes from, if it is this one."""
        if fullname != self._name:
            return None
        file = str(_path(self._name.partition(".")[2]))
        spec = importlib.util.spec_from_loader(fullname, self, origin=file)
        assert spec is not None
        spec.has_location = True
        if file.endswith("__init__.py"):
            spec.submodule_search_locations = [str(Path(file).parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        exec(compile(self._tree, str(module.__file__), "exec"), module.__dict__)


def _preload() -> Iterator[str]:
    """Load the libraries once, so that no child has to; yield what was loaded."""
    for name in ("pytest", "hypothesis", "click", "requests", "yaml", "jsonschema", "junit_xml"):
        importlib.import_module(name)
        yield name


if __name__ == "__main__":
    assert list(_preload())
    assert not any(name.partition(".")[0] == PACKAGE for name in sys.modules)
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
