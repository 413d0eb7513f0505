"""The tasks and pre-checks of the simulated service: lists, details, starts and results."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from precheck_gate.simulator.messages import (
    DOES_NOT_EXIST,
    FAILED,
    INVALID_PARAMETER,
    Response,
    error_fields,
    error_reply,
    json_reply,
)

if TYPE_CHECKING:
    from precheck_gate.simulator.scenario import Scenario
    from precheck_gate.simulator.tasks import SimulatedTask

_CREATED = "1767225600000"
_MOST = 100


def listed(scenario: Scenario, body: Any) -> Response:
    """Return a page of the tasks that a body asks for."""
    wanted = body if isinstance(body, dict) else {}
    page, size = wanted.get("cur_page", 1), wanted.get("per_page", 10)
    if not isinstance(page, int) or not isinstance(size, int) or not 0 <= size <= _MOST or page < 0:
        return error_reply(400, INVALID_PARAMETER, "cur_page and per_page are out of range.")
    found = fitting(scenario, wanted)
    first = max(0, page - 1) * size
    shown = found[first : first + size] if size else found
    jobs = [_entry(task) for task in shown]
    return json_reply(200, {"total_record": len(found), "jobs": jobs})


def fitting(scenario: Scenario, wanted: dict[str, Any]) -> list[SimulatedTask]:
    """Return the tasks that what is wanted describes."""
    return [task for task in scenario.tasks if _fits(task, wanted)]


def _fits(task: SimulatedTask, wanted: dict[str, Any]) -> bool:
    pairs = (("db_use_type", task.kind), ("status", task.status), ("engine_type", task.engine))
    if any(wanted.get(key) not in (None, "", value) for key, value in pairs):
        return False
    # (unverified) how the service compares names: here, part of the name is enough.
    name = wanted.get("name") or ""
    if name not in task.name and name != task.id:
        return False
    tags = wanted.get("tags") or {}
    return all(task.tags.get(key) == value for key, value in tags.items())


def _entry(task: SimulatedTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "name": task.name,
        "status": task.status,
        "description": "",
        "create_time": _CREATED,
        "engine_type": task.engine,
        "net_type": "vpc",
        "job_direction": task.origin.get("job_direction", "up"),
        "db_use_type": task.kind,
        "task_type": "FULL_INCR_TRANS",
    }


def described(scenario: Scenario, jobs: list[Any], *, details: bool) -> Response:
    """Return the status of each task, or its details; an unknown one has an error of its own."""
    results: list[dict[str, Any]] = []
    for job in jobs:
        task = scenario.task(job) if isinstance(job, str) else None
        if task is None:
            # (unverified) that an unknown task fails alone; here errors have a longer name.
            error = error_fields(DOES_NOT_EXIST)
            message = error["error_msg"]
            code = error["error_code"]
            results.append({"id": job, "error_code": code, "error_message": message})
        elif details:
            entry = _entry(task)
            entry["inst_info"] = {"engine_type": entry.pop("engine_type")}
            results.append(entry)
        else:
            results.append({"id": job, "status": task.status})
    return json_reply(200, {"count": len(results), "results": results})


@dataclass(frozen=True, slots=True)
class _Precheck:
    number: int
    began: float
    before: _Precheck | None = None


class Prechecks:
    """Knows the last pre-check of each task. The caller serialises the calls."""

    def __init__(self, scenario: Scenario) -> None:
        self._tasks = {task.id: task for task in scenario.tasks}
        self._last = {task.id: _Precheck(0, 0.0) for task in scenario.tasks if task.started}
        self._starts = 0
        # The first pre-check of a task is known under its own ID, or else the task's.
        self._queries = {
            (task.id, task.precheck_id or task.id): self._last[task.id]
            for task in scenario.tasks
            if task.started
        }

    def known(self, job: str) -> bool:
        """Return whether a pre-check of the task was ever started."""
        return job in self._last

    def at(self, job: str, moment: float) -> tuple[SimulatedTask, float]:
        """Return the task as it answers now, and how long ago that pre-check began."""
        task, last = self._tasks[job], self._last[job]
        if last.before is not None and moment - last.began < task.lag:
            last = last.before
        return task.run(last.number), moment - last.began

    def queried(self, job: str, query: str, moment: float) -> tuple[SimulatedTask, float] | None:
        """Return the task as the pre-check of a query ID has it, as `at` does; None if unknown."""
        precheck = self._queries.get((job, query))
        if precheck is None:
            return None
        # Where a start gave an ID back that it had given out before, its results lag behind too.
        if precheck.before is not None and moment - precheck.began < self._tasks[job].lag:
            precheck = precheck.before
        return self._tasks[job].run(precheck.number), moment - precheck.began

    def start(self, job: str, mode: str, moment: float) -> dict[str, Any]:
        """Start a pre-check, and return what the service says of that."""
        task = self._tasks.get(job)
        if task is None:
            # (unverified) that an unknown task fails alone and not the whole request.
            return {"id": job, "status": "failed", **error_fields(DOES_NOT_EXIST)}
        error = task.start_error
        if error is not None and error.window.covers(moment):
            return {"id": job, "status": "failed", **error_fields(error.code, error.message)}
        if mode != _mode_for(task.status):
            # (unverified) the code and the words of such a refusal.
            said = f"A pre-check in the mode {mode} cannot be started in the status {task.status}."
            return {"id": job, "status": "failed", **error_fields(FAILED, said)}
        before = self._last.get(job)
        number = 0 if before is None else before.number + 1
        # Only the one before is remembered: a chain would grow with each start.
        kept = None if before is None else _Precheck(before.number, before.began)
        self._last[job] = _Precheck(number, moment, kept)
        self._starts += 1
        made = uuid.uuid5(uuid.NAMESPACE_OID, f"{job} {self._starts}")
        own = task.run(number).precheck_id or str(made)
        # A new ID has nothing to show but its own pre-check.
        shown = self._queries.get((job, own))
        self._queries[job, own] = _Precheck(number, moment, shown and replace(shown, before=None))
        return {"id": job, "precheck_id": own, "status": "success"}


def _mode_for(status: str) -> str:
    if status == "CONFIGURATION":
        return "forStartJob"
    return "forRetryJob" if status.endswith("_FAILED") else ""
