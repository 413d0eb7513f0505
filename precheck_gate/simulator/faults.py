"""Faults: which of them hit a request, when, and what they make of its answer."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from precheck_gate.simulator.messages import Response, Shape, error_reply, json_reply
from precheck_gate.simulator.tasks import ALWAYS, Window

if TYPE_CHECKING:
    from collections.abc import Callable

EXTRA_TASK = "ffffffff-ffff-4fff-8fff-fffffffjb101"


class Call(Enum):
    """The calls that the simulator answers."""

    RESULTS = "results"
    START = "start"
    STATUS = "status"
    DETAIL = "detail"
    LIST = "list"
    TOKEN = "token"  # noqa: S105  # the name of a call
    PROJECTS = "projects"


class Stage(Enum):
    """What a fault touches; of each stage, one fault applies to a request."""

    DELAY = "delay"
    ANSWER = "answer"
    DELIVERY = "delivery"


class FaultKind(Enum):
    """The kinds of faults."""

    STATUS = "status"
    HTML = "html"
    GARBAGE = "garbage"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    DUPLICATE_KEY = "duplicate_key"
    NAN = "nan"
    EMPTY = "empty"
    HUGE = "huge"
    REDIRECT = "redirect"
    COUNT_OFF = "count_off"
    EXTRA_TASK = "extra_task"
    RESET = "reset"
    CLOSE = "close"
    TRUNCATE = "truncate"
    SLOW = "slow"
    HANG = "hang"
    DELAY = "delay"

    @property
    def stage(self) -> Stage:
        """What a fault of this kind touches."""
        if self is FaultKind.DELAY:
            return Stage.DELAY
        return Stage.DELIVERY if self in _DELIVERIES else Stage.ANSWER


_DELIVERIES = frozenset(
    {FaultKind.RESET, FaultKind.CLOSE, FaultKind.TRUNCATE, FaultKind.SLOW, FaultKind.HANG}
)


@dataclass(frozen=True, slots=True)
class When:
    """The requests that a fault hits; all conditions must hold.

    ``call`` None is any call; ``first`` and ``last`` bound the number of the request among those
    that ``call`` and ``task`` select.
    """

    call: Call | None = Call.RESULTS
    task: str = ""
    first: int = 1
    last: float = math.inf
    every: int = 1
    window: Window = ALWAYS

    def concerns(self, call: Call, tasks: tuple[str, ...]) -> bool:
        """Return whether such a request is counted at all."""
        return self.call in (None, call) and (not self.task or self.task in tasks)

    def hits(self, number: int, moment: float) -> bool:
        """Return whether the ``number``-th of the counted requests is hit at ``moment``."""
        in_range = self.first <= number <= self.last
        return in_range and number % self.every == 0 and self.window.covers(moment)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; which fields mean something depends on its kind (see the scenario's schema)."""

    kind: FaultKind
    when: When = When()
    status: int | None = None
    retry_after: str = ""
    shape: Shape = Shape.PLAIN
    code: str = ""
    message: str = ""
    body: Any = None
    bytes: int | None = None
    bytes_per_second: float = 1024.0
    where: str = "body"
    location: str = ""
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that hit one request, by what they touch."""

    by_stage: dict[Stage, Fault] = field(default_factory=dict)

    def __getitem__(self, stage: Stage) -> Fault | None:
        return self.by_stage.get(stage)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of their kinds, for logs."""
        return tuple(fault.kind.value for fault in self.by_stage.values())


class FaultPlan:
    """Counts requests and says which faults hit each. The caller serialises the calls."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults = faults
        self._counts = [0] * len(faults)

    def hit(self, call: Call, tasks: tuple[str, ...], moment: float) -> Faults:
        """Count a request and return the faults that hit it.

        Args:
            call: what was called.
            tasks: the IDs of the tasks that the request names.
            moment: seconds since the simulator's start.
        """
        chosen: dict[Stage, Fault] = {}
        for index, fault in enumerate(self._faults):
            if not fault.when.concerns(call, tasks):
                continue
            self._counts[index] += 1
            if fault.when.hits(self._counts[index], moment):
                chosen.setdefault(fault.kind.stage, fault)
        return Faults(chosen)


def alter(fault: Fault, reply: Response, tasks: tuple[str, ...], request_id: str) -> Response:
    """Return what a fault of the stage `Stage.ANSWER` makes of an answer.

    Args:
        fault: what happens.
        reply: the answer without it.
        tasks: the IDs of the tasks that the request names.
        request_id: the request's ID, which the gateway's errors repeat.
    """
    if fault.kind is FaultKind.STATUS:
        culprits = (fault.when.task,) if fault.when.task else tasks
        altered = error_reply(
            fault.status or 500,
            fault.code,
            fault.message,
            shape=fault.shape,
            tasks=culprits,
            request_id=request_id,
        )
    else:
        altered = _ALTERATIONS[fault.kind](fault, reply)
    if fault.retry_after:
        altered = replace(altered, headers=(*altered.headers, ("Retry-After", fault.retry_after)))
    return altered


def _html(fault: Fault, _: Response) -> Response:
    status = fault.status or 200
    return error_reply(status, message="Welcome to the proxy", shape=Shape.HTML)


def _garbage(fault: Fault, _: Response) -> Response:
    return Response(fault.status or 200, bytes(range(255, -1, -1)), "application/octet-stream")


def _not_json(_: Fault, reply: Response) -> Response:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _wrong_shape(fault: Fault, reply: Response) -> Response:
    if fault.body is not None:
        return json_reply(reply.status, fault.body)
    value = json.loads(reply.body)
    results = value.get("results", [])
    entries = {str(entry.get("precheck_id", "")): entry for entry in results}
    return json_reply(reply.status, {**value, "results": entries})


def _duplicate_key(_: Fault, reply: Response) -> Response:
    # A reader that keeps the last key sees nothing of the first; so the first one is the lie
    # where there is a progress to lie about.
    key, forged = b'"process":', b'"process":"100%",'
    if key in reply.body:
        return replace(reply, body=reply.body.replace(key, forged + key, 1))
    return replace(reply, body=b'{"count":0,"count":0,' + reply.body[1:])


def _nan(_: Fault, reply: Response) -> Response:
    return json_reply(reply.status, {**json.loads(reply.body), "count": math.nan})


def _empty(fault: Fault, _: Response) -> Response:
    return Response(fault.status or 200, b"")


def _huge(fault: Fault, reply: Response) -> Response:
    # Blanks after a JSON document are JSON still: only the size is wrong.
    return replace(reply, padding=64 * 1024 * 1024 if fault.bytes is None else fault.bytes)


def _redirect(fault: Fault, _: Response) -> Response:
    return Response(fault.status or 302, b"", headers=(("Location", fault.location),))


def _count_off(_: Fault, reply: Response) -> Response:
    value = json.loads(reply.body)
    return json_reply(reply.status, {**value, "count": len(value.get("results", [])) + 1})


def _extra_task(_: Fault, reply: Response) -> Response:
    value = json.loads(reply.body)
    results = value.get("results", [])
    extra = copy.deepcopy(results[0]) if results else {}
    extra["precheck_id"] = EXTRA_TASK
    results = [*results, extra]
    return json_reply(reply.status, {**value, "results": results, "count": len(results)})


_ALTERATIONS: dict[FaultKind, Callable[[Fault, Response], Response]] = {
    FaultKind.HTML: _html,
    FaultKind.GARBAGE: _garbage,
    FaultKind.NOT_JSON: _not_json,
    FaultKind.WRONG_SHAPE: _wrong_shape,
    FaultKind.DUPLICATE_KEY: _duplicate_key,
    FaultKind.NAN: _nan,
    FaultKind.EMPTY: _empty,
    FaultKind.HUGE: _huge,
    FaultKind.REDIRECT: _redirect,
    FaultKind.COUNT_OFF: _count_off,
    FaultKind.EXTRA_TASK: _extra_task,
}


# The keys that mean something for a kind of fault, beside `when` and `kind`.
FAULT_KEYS: dict[FaultKind, frozenset[str]] = {
    FaultKind.STATUS: frozenset({"status", "retry_after", "shape", "code", "message"}),
    FaultKind.HTML: frozenset({"status", "retry_after"}),
    FaultKind.GARBAGE: frozenset({"status"}),
    FaultKind.EMPTY: frozenset({"status", "retry_after"}),
    FaultKind.REDIRECT: frozenset({"status", "location"}),
    FaultKind.WRONG_SHAPE: frozenset({"body"}),
    FaultKind.HUGE: frozenset({"bytes"}),
    FaultKind.RESET: frozenset({"bytes"}),
    FaultKind.TRUNCATE: frozenset({"bytes"}),
    FaultKind.SLOW: frozenset({"bytes_per_second", "where"}),
    FaultKind.DELAY: frozenset({"delay"}),
}
FAULT_NEEDS = {
    FaultKind.STATUS: "status",
    FaultKind.REDIRECT: "location",
    FaultKind.DELAY: "delay",
}
