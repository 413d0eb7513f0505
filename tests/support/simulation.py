"""Fixtures of the simulator's tests: running simulators, and plain clients for them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import requests

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.simulator.scenario import builtin_scenario, load_scenario
from precheck_gate.simulator.server import Simulator
from tests.support.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from precheck_gate.runtime.process import Clock
    from precheck_gate.simulator.scenario import Scenario
    from precheck_gate.simulator.server import RequestRecord

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"


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
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulate(clock: FakeClock) -> Iterator[Simulate]:
    """Run a scenario, given as a value, as YAML or by the name of a built-in one."""
    with contextlib.ExitStack() as stack:

        def run(
            scenario: str | Scenario,
            own_clock: Clock | None = None,
            /,
            *,
            on_request: Callable[[RequestRecord], None] | None = None,
        ) -> Running:
            if isinstance(scenario, str):
                yaml = "\n" in scenario
                scenario = (
                    load_scenario(parse_document(scenario, "test.yaml"))
                    if yaml
                    else builtin_scenario(scenario)
                )
            made = Simulator(scenario, own_clock or clock, on_request=on_request)
            simulator = stack.enter_context(made)
            running = Running(simulator)
            stack.callback(running.session.close)
            return running

        yield run
