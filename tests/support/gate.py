"""A gate, a service for it to ask, and a clean environment around both."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import requests

from precheck_gate.__main__ import run_main
from precheck_gate.cli import main_group
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.runtime.process import Runtime, SystemClock
from precheck_gate.simulator.scenario import builtin_scenario, load_scenario
from precheck_gate.simulator.server import Simulator
from tests.support.fakes import FakeClock
from tests.support.outcome import ID, PROJECT, TOKEN, Child, Outcome, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from precheck_gate.runtime.process import Clock
    from precheck_gate.simulator.scenario import Scenario
    from precheck_gate.simulator.server import RequestRecord

_OURS = ("PRECHECK_GATE_", "HW_", "OS_", "HUAWEICLOUD_")
_OTHERS = frozenset(
    {
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_COLOR", "FORCE_COLOR", "COLUMNS"),
    }
)


def forget_settings(monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """Take out what would steer the gate from outside, and variables whose names begin so."""
    for name in list(os.environ):
        if name.startswith((*_OURS, *more)) or name.upper() in _OTHERS:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clean the environment; put in the token; keep the signals."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", TOKEN)
    monkeypatch.setenv("TERM", "xterm")
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    yield
    for signum, handler in handlers.items():
        signal.signal(signum, handler)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def scenario_of(text: str) -> Scenario:
    """Return a scenario, given as YAML or by the name of a built-in one."""
    if "\n" in text:
        return load_scenario(parse_document(text, "test.yaml"))
    return builtin_scenario(text)


# Scenarios of one task.
START = "--start-precheck"
GOOD = "[{item: srcDbConnection}]"
BAD = "[{item: srcDbConnection, result: FAILED}]"


def one(more: str, faults: str = "") -> str:
    return f"\nversion: 1\ntasks: [{{id: {ID}, {more}}}]\nfaults: [{faults}]\n"


def calls(service: Simulator, name: str) -> list[Any]:
    return [one for one in service.requests if one.path.endswith(f"/jobs/{name}")]


class Serve(Protocol):
    def __call__(self, scenario: str, own_clock: Clock | None = None, /) -> Simulator: ...


@pytest.fixture
def serve(clock: FakeClock) -> Iterator[Serve]:
    """Run a scenario on the fake clock."""
    with contextlib.ExitStack() as stack:

        def start(scenario: str, own_clock: Clock | None = None, /) -> Simulator:
            return stack.enter_context(Simulator(scenario_of(scenario), own_clock or clock))

        yield start


@pytest.fixture
def serve_now(serve: Serve) -> Serve:
    """Like `serve`, on the computer's clock."""
    return lambda scenario, own_clock=None: serve(scenario, own_clock or SystemClock())


class Gate:
    """Runs the program in this process or in one of its own, and checks what always holds.

    Every run has the token in the environment, and writes ``junit.xml`` and ``report.json``.
    """

    def __init__(self, folder: Path, clock: FakeClock, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._clock = clock
        self._capsys = capsys

    @property
    def outputs(self) -> list[str]:
        """The options for both reports."""
        return [
            f"--junit={self.folder / 'junit.xml'}",
            f"--report=json={self.folder / 'report.json'}",
        ]

    def arguments(self, url: str, *more: str, tasks: Sequence[str] = (ID,)) -> list[str]:
        """Return the arguments of ``run`` for an endpoint."""
        service = ["--endpoint", url, "--project-id", PROJECT]
        return ["run", *tasks, *service, *self.outputs, *more]

    def run(self, url: str, *more: str, tasks: Sequence[str] = (ID,)) -> Outcome:
        """Gate tasks on the fake clock."""
        return self.judge(*self.arguments(url, *more, tasks=tasks))

    def run_now(self, url: str, *more: str, tasks: Sequence[str] = (ID,)) -> Outcome:
        """Gate tasks on the computer's clock."""
        return self.main(*self.arguments(url, *more, tasks=tasks))

    def judge(self, *argv: str) -> Outcome:
        """Call a command on the fake clock."""
        code = main_group.main(list(argv), standalone_mode=False, obj=Runtime(clock=self._clock))
        return self._outcome(code, with_reports=True)

    def main(self, *argv: str, with_reports: bool = True) -> Outcome:
        """Call the program as the console script does."""
        return self._outcome(run_main(list(argv)), with_reports=with_reports)

    def start(self, *argv: str, tell_imports: bool = False) -> Child:
        """Start the program as a process of its own."""
        return Child(self.folder, argv, tell_imports=tell_imports)

    def _outcome(self, code: int, *, with_reports: bool) -> Outcome:
        out, err = self._capsys.readouterr()
        return check(Outcome(code, out, err, self.folder), with_reports=with_reports)


@pytest.fixture
def gate(tmp_path: Path, clock: FakeClock, capsys: pytest.CaptureFixture[str]) -> Gate:
    folder = tmp_path / "out"
    folder.mkdir()
    return Gate(folder, clock, capsys)


class Running:
    """A simulator and a plain client for it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url = simulator.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Auth-Token"] = "some-token"

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        return self.session.post(
            self.url + path, json=body, timeout=5, allow_redirects=False, **options
        )

    def ask(self, *jobs: str, **options: Any) -> requests.Response:
        return self.post(f"/v3/{PROJECT}/jobs/batch-precheck-result", {"jobs": jobs}, **options)

    def start(self, *jobs: str) -> requests.Response:
        body = {"jobs": [{"job_id": job, "precheck_mode": "forStartJob"} for job in jobs]}
        return self.post(f"/v3/{PROJECT}/jobs/batch-precheck", body)


class Simulate(Protocol):
    def __call__(
        self,
        scenario: str | Scenario,
        own_clock: Clock | None = None,
        /,
        *,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> Running: ...


@pytest.fixture
def simulate(clock: FakeClock) -> Iterator[Simulate]:
    """Run a scenario, given as a value too, with a plain client."""
    with contextlib.ExitStack() as stack:

        def run(
            scenario: str | Scenario,
            own_clock: Clock | None = None,
            /,
            *,
            on_request: Callable[[RequestRecord], None] | None = None,
        ) -> Running:
            if isinstance(scenario, str):
                scenario = scenario_of(scenario)
            made = Simulator(scenario, own_clock or clock, on_request=on_request)
            running = Running(stack.enter_context(made))
            stack.callback(running.session.close)
            return running

        yield run
