"""What the simulated service says in these tests: at once, so that nothing waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.scenario import builtin_scenario, load_scenario
from precheck_gate.simulator.server import Simulator

if TYPE_CHECKING:
    from precheck_gate.simulator.scenario import Scenario

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
PASSES = "140b5236-88ad-43c8-811c-1268453jb101"
WARNS = "a281f62f-4631-45d6-a2d3-679a9f4jb105"
BLOCKS = "5d2c81f4-0b7e-4f0a-9a56-3e91c07jb101"

_BLOCKED = f"""
version: 1
tasks:
  - id: {BLOCKS}
    answer: mysql
    items:
      - {{item: srcDbBinlogIsOff, result: FAILED, failed_reason: SRC_DB_BINLOG_IS_OFF}}
"""

_ENDLESS = f"""
version: 1
tasks:
  - {{id: {PASSES}, answer: mysql, duration: 10h}}
"""


def scenario(name: str) -> Scenario:
    """Return a scenario: passed, warned, blocked or endless."""
    match name:
        case "passed":
            return builtin_scenario("mysql")
        case "warned":
            return builtin_scenario("dds")
    text = {"blocked": _BLOCKED, "endless": _ENDLESS}[name]
    return load_scenario(parse_document(text, f"{name}.yaml"))


def serve(name: str) -> Simulator:
    """Return a running simulator of a scenario."""
    return Simulator(scenario(name), SystemClock())
