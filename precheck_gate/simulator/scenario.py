"""Scenarios: what the simulated service knows and does, read from YAML or built in."""

from __future__ import annotations

import difflib
import json
import math
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.documents.yaml_document import Document, parse_document, read_document
from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.simulator.faults import FAULT_KEYS, FAULT_NEEDS, Call, Fault, FaultKind, When
from precheck_gate.simulator.messages import Shape
from precheck_gate.simulator.tasks import (
    ALWAYS,
    AUTO,
    Doubled,
    Milestone,
    SimulatedItem,
    SimulatedTask,
    TaskError,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.documents.yaml_document import Document, ValuePath
    from precheck_gate.errors import Problem

# The project of the documented examples.
DEFAULT_PROJECT_ID = "054ba152d480d55b2f5dc0069e7ddef0"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the simulated IAM; ``domain`` "" is any."""

    name: str
    password: str = field(repr=False)
    domain: str = ""
    disabled: bool = False
    mfa: bool = False
    permitted: bool = True


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key that requests may be signed with; temporary ones come with a security token.

    ``lifetime`` counts from the simulator's start.
    """

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    lifetime: float = math.inf
    permitted: bool = True


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Whose ID tokens the simulated IAM takes; ``audience`` "" is any."""

    id: str
    audience: str = ""
    permitted: bool = True


class UnknownTask(Enum):
    """How the simulator answers for a task it does not know."""

    BATCH = "batch"
    NAMELESS = "nameless"
    PLAIN = "plain"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the simulated service knows and does.

    ``token`` and ``project_id`` "" accept any; ``users`` None lets everybody obtain a token;
    ``access_keys`` None takes every signature for its form; ``identity_providers`` None takes every
    ID token; ``region`` "" is any name of the project. ``clock_skew`` is how many seconds the
    service's clock is ahead; ``revocations`` are the moments at which all tokens end; ``apis`` are
    the versions of DRS's API that are offered.
    """

    name: str
    tasks: tuple[SimulatedTask, ...]
    faults: tuple[Fault, ...] = ()
    description: str = ""
    token: str = field(default="", repr=False)
    users: tuple[User, ...] | None = None
    access_keys: tuple[AccessKey, ...] | None = None
    identity_providers: tuple[IdentityProvider, ...] | None = None
    token_lifetime: float = 24 * 3600.0
    revocations: tuple[float, ...] = ()
    clock_skew: float = 0.0
    project_id: str = ""
    region: str = ""
    unknown_task: UnknownTask = UnknownTask.BATCH
    apis: tuple[str, ...] = ("v3", "v5")

    def task(self, task_id: str) -> SimulatedTask | None:
        """Return the task of that ID, spelled exactly so."""
        return next((task for task in self.tasks if task.id == task_id), None)


_PART = re.compile(r"([0-9.]+)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

# The fields of a documented answer that are taken over as they are.
_ORIGIN: tuple[str, ...] = ("rds_instance_id", "job_direction")


def seconds(duration: str | float) -> float:
    """Return a duration of a scenario (``1m30s``, ``500ms``, ``2``) in seconds."""
    if isinstance(duration, str):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
    return float(duration)


class ScenarioReader:
    """Reads one document and collects its errors in ``problems``."""

    def __init__(self, document: Document, answer: Callable[[str], dict[str, Any]]) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._answer = answer
        self._ids: dict[str, str] = {}

    def scenario(self) -> Scenario:
        """Return the scenario; do not use it if there are problems."""
        value = self._document.value
        users, keys = value.get("users"), value.get("access_keys")
        providers = value.get("identity_providers")
        tasks = tuple(
            self._task(task, ("tasks", index)) for index, task in enumerate(value["tasks"])
        )
        return Scenario(
            name=self._document.file,
            tasks=tasks,
            faults=tuple(
                self._fault(fault, ("faults", index))
                for index, fault in enumerate(value.get("faults", []))
            ),
            description=value.get("description", ""),
            token=value.get("token", ""),
            users=None if users is None else tuple(User(**user) for user in users),
            access_keys=None if keys is None else tuple(map(_access_key, keys)),
            identity_providers=None
            if providers is None
            else tuple(IdentityProvider(**provider) for provider in providers),
            revocations=tuple(sorted(map(seconds, value.get("revoke_tokens", [])))),
            clock_skew=_signed(value.get("clock_skew", 0)),
            token_lifetime=seconds(value.get("token_lifetime", "24h")),
            project_id=value.get("project_id", ""),
            region=value.get("region", ""),
            apis=tuple(value.get("apis", ("v3", "v5"))),
            unknown_task=UnknownTask(value.get("unknown_task", "batch")),
        )

    def _complain(
        self, message: str, path: ValuePath, *, key: bool = False, hint: str = ""
    ) -> None:
        self.problems.append(self._document.problem(message, path, key=key, hint=hint))

    def _task(self, value: dict[str, Any], path: ValuePath) -> SimulatedTask:
        first = {key: part for key, part in value.items() if key != "runs"}
        task = self._named_task(first, path)
        runs = value.get("runs", [])
        later = []
        for index, run in enumerate(runs):
            # A run with a timing of its own replaces the whole timing.
            timing = {"progress", "duration"}
            base = {k: v for k, v in first.items() if k not in timing or not timing & set(run)}
            later.append(self._run({**base, **run}, (*path, "runs", index)))
        return replace(task, later=tuple(later))

    def _named_task(self, value: dict[str, Any], path: ValuePath) -> SimulatedTask:
        task_id: str = value["id"]
        name: str = value.get("name", "")
        for key, word in (("id", task_id), ("name", name)):
            if word and word in self._ids:
                self._complain(f"{word!r} is the ID or name of another task too", (*path, key))
            elif word:
                self._ids[word] = task_id
        return self._run(value, path)

    def _run(self, value: dict[str, Any], path: ValuePath) -> SimulatedTask:
        task_id: str = value["id"]
        if "answer" not in value and "items" not in value:
            self._complain(
                "the task has no items",
                path,
                hint="give 'answer', 'items' or both; 'items: []' for a task without any",
            )
        answer = self._answer(value["answer"]) if "answer" in value else {}
        origin = {key: answer[key] for key in _ORIGIN if key in answer}
        given = value.get("precheck_id", "")
        return SimulatedTask(
            id=task_id,
            name=value.get("name", ""),
            items=self._items(answer.get("precheck_result", []), value.get("items", []), path),
            points=self._points(value, path),
            result=value.get("result", AUTO),
            origin=origin,
            answers_as=task_id if given == "" else given,
            precheck_id=given or "",
            error=self._task_error(value.get("error"), (*path, "error")),
            missing=self._missing(value.get("missing", False), (*path, "missing")),
            doubled=Doubled(value["doubled"]) if "doubled" in value else None,
            started=value.get("started", True),
            fields=value.get("fields", {}),
            without=tuple(value.get("without", [])),
            status=value.get("status", "CONFIGURATION"),
            engine=value.get("engine", "mysql"),
            kind=value.get("type", "migration"),
            tags=value.get("tags", {}),
            start_error=self._task_error(value.get("start_error"), (*path, "start_error")),
            lag=seconds(value.get("lag", 0)),
        )

    def _items(
        self, documented: list[dict[str, Any]], given: list[dict[str, Any]], path: ValuePath
    ) -> tuple[SimulatedItem, ...]:
        items = {item["item"]: SimulatedItem(item) for item in documented}
        seen: set[str] = set()
        for index, value in enumerate(given):
            here: ValuePath = (*path, "items", index)
            name: str = value["item"]
            if name in seen:
                self._complain(f"the item {name!r} is duplicated", (*here, "item"))
            seen.add(name)
            if "remove" in value:
                if items.pop(name, None) is None:
                    self._complain(
                        f"there is no item {name!r} to remove",
                        (*here, "item"),
                        hint=_did_you_mean(name, list(items)),
                    )
                continue
            fields = {key: part for key, part in value.items() if key != "zh"}
            base = items[name].fields if name in items else {"item": name, "result": "PASSED"}
            items[name] = SimulatedItem({**base, **fields}, value.get("zh", {}))
        return tuple(items.values())

    def _points(self, value: dict[str, Any], path: ValuePath) -> tuple[Milestone, ...]:
        if "progress" not in value:
            duration = seconds(value.get("duration", 0))
            end = Milestone(duration, 100.0)
            return (Milestone(0.0, 0.0), end) if duration else (end,)
        if "duration" in value:
            self._complain(
                "'duration' and 'progress' exclude each other", (*path, "duration"), key=True
            )
        points: list[Milestone] = []
        for index, point in enumerate(value["progress"]):
            here: ValuePath = (*path, "progress", index)
            if ("percent" in point) == ("raw" in point):
                self._complain("a point has either 'percent' or 'raw'", here)
            at = seconds(point["at"])
            if points and at <= points[-1].at:
                self._complain("the points must follow each other in time", (*here, "at"))
            points.append(Milestone(at, point.get("percent"), point.get("raw")))
        if points[0].at > 0:
            points.insert(0, Milestone(0.0, 0.0))
        return tuple(points)

    def _missing(self, value: bool | dict[str, Any], path: ValuePath) -> Window | None:
        if isinstance(value, bool):
            return ALWAYS if value else None
        return self._window(value, path)

    def _task_error(self, value: dict[str, Any] | None, path: ValuePath) -> TaskError | None:
        if value is None:
            return None
        return TaskError(value["code"], value.get("message", ""), self._window(value, path))

    def _window(self, value: dict[str, Any], path: ValuePath) -> Window:
        window = Window(
            seconds(value.get("from", 0)), seconds(value["to"]) if "to" in value else math.inf
        )
        if window.end <= window.start:
            self._complain("'to' must be later than 'from'", (*path, "to"))
        return window

    def _fault(self, value: dict[str, Any], path: ValuePath) -> Fault:
        kind = FaultKind(value.get("kind", "status"))
        meant = FAULT_KEYS.get(kind, frozenset())
        for key in value:
            if key not in {"when", "kind"} | meant:
                self._complain(
                    f"the key {key!r} has no meaning for the kind {kind.value!r}",
                    (*path, key),
                    key=True,
                    hint=f"known: {', '.join(sorted(meant))}" if meant else "",
                )
        needed = FAULT_NEEDS.get(kind)
        if needed and needed not in value:
            hint = "or give its 'kind'" if "kind" not in value else ""
            self._complain(f"the key {needed!r} is missing", path, hint=hint)
        retry_after = value.get("retry_after", "")
        if isinstance(retry_after, str) and not (retry_after + " ").isprintable():
            self._complain("a header can only hold printable text", (*path, "retry_after"))
        return Fault(
            kind=kind,
            when=self._when(value.get("when", {}), (*path, "when")),
            status=value.get("status"),
            retry_after=f"{retry_after:g}" if isinstance(retry_after, float) else str(retry_after),
            shape=Shape(value.get("shape", "plain")),
            code=value.get("code", ""),
            message=value.get("message", ""),
            body=value.get("body"),
            bytes=value.get("bytes"),
            bytes_per_second=float(value.get("bytes_per_second", 1024)),
            where=value.get("where", "body"),
            location=value.get("location", ""),
            delay=seconds(value.get("delay", 0)),
        )

    def _when(self, value: dict[str, Any], path: ValuePath) -> When:
        first, last = self._request_range(value.get("request", "1-"), (*path, "request"))
        call = value.get("call", "results")
        task: str = value.get("task", "")
        # An unknown ID is allowed: a fault can hit requests for unknown tasks.
        if task and task not in self._ids and not re.fullmatch(r"[0-9A-Za-z-]{36}", task):
            self._complain(
                f"there is no task {task!r}",
                (*path, "task"),
                hint=_did_you_mean(task, list(self._ids)),
            )
        return When(
            call=None if call == "any" else Call(call),
            task=self._ids.get(task, task),
            first=first,
            last=last,
            every=value.get("every", 1),
            window=self._window(value, path),
        )

    def _request_range(self, value: int | str, path: ValuePath) -> tuple[int, float]:
        start, dash, end = str(value).partition("-")
        first = int(start)
        last = math.inf if dash and not end else float(end or first)
        if last < first:
            self._complain(f"the range {value} ends before it begins", path)
        return first, last


def _access_key(value: dict[str, Any]) -> AccessKey:
    lifetime = seconds(value["lifetime"]) if "lifetime" in value else math.inf
    return AccessKey(**{**value, "lifetime": lifetime})


def _signed(duration: str | float) -> float:
    text = str(duration)
    size = seconds(text.lstrip("-")) if isinstance(duration, str) else abs(float(duration))
    return -size if text.startswith("-") else size


def _did_you_mean(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else ""


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
    """Return a built-in scenario.

    Raises:
        UsageError: no built-in scenario has that name.
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
