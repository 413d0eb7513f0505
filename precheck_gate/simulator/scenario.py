"""Scenarios: what the simulated service knows and does, read from YAML or built in."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from precheck_gate.documents.yaml_document import Document, parse_document, read_document
from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.simulator.loading import ScenarioReader
from precheck_gate.simulator.model import Scenario

__all__ = [
    "BUILTIN_SCENARIOS",
    "Scenario",
    "builtin_scenario",
    "documented_answer",
    "find_scenario",
    "load_scenario",
]

BUILTIN_SCENARIOS = ("demo", "demo-pass", "dds", "mysql")


def load_scenario(document: Document) -> Scenario:
    """Return the scenario that a document describes.

    Raises:
        DocumentError: it breaks the schema or contradicts itself; every problem with its place.
    """
    from precheck_gate.documents.validation import check

    check(document, "scenario-1", "scenario")
    reader = ScenarioReader(document, documented_answer)
    scenario = reader.scenario()
    if reader.problems:
        problems = sorted(reader.problems, key=lambda problem: (problem.line, problem.column))
        raise DocumentError(f"The scenario {document.file} cannot be used.", problems)
    return scenario


def builtin_scenario(name: str) -> Scenario:
    """Return a scenario that comes with the program.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in BUILTIN_SCENARIOS:
        known = ", ".join(BUILTIN_SCENARIOS)
        raise UsageError(f"There is no built-in scenario {name!r}.", hint=f"Known: {known}.")
    place = resources.files(__package__).joinpath("scenarios", f"{name}.yaml")
    return load_scenario(parse_document(place.read_text(encoding="utf-8"), f"builtin:{name}"))


def find_scenario(name_or_path: str) -> Scenario:
    """Return a built-in scenario by its name, or the one in a file.

    Raises:
        UsageError: there is no such name and no such file, or the file cannot be read.
        DocumentError: the file is no usable scenario.
    """
    if name_or_path in BUILTIN_SCENARIOS:
        return builtin_scenario(name_or_path)
    path = Path(name_or_path)
    if not path.exists():
        known = ", ".join(BUILTIN_SCENARIOS)
        raise UsageError(
            f"The scenario {name_or_path!r} is neither a file nor built in.",
            hint=f"Built in are {known}.",
        )
    return load_scenario(read_document(path, "scenario"))


def documented_answer(name: str) -> dict[str, Any]:
    """Return the entry of a documented answer (``mysql``, ``dds``), as the service spells it."""
    place = resources.files(__package__).joinpath("answers", f"{name}.json")
    entry: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))["results"][0]
    return entry
