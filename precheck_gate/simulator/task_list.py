"""What the simulated service says of tasks themselves: the list, their status and details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.simulator.replies import (
    DOES_NOT_EXIST,
    INVALID_PARAMETER,
    Reply,
    error_fields,
    error_reply,
    json_reply,
)

if TYPE_CHECKING:
    from precheck_gate.simulator.model import Scenario
    from precheck_gate.simulator.tasks import SimulatedTask

__all__ = ["described", "fitting", "listed"]

_CREATED = "1767225600000"
_MOST = 100


def listed(scenario: Scenario, body: Any) -> Reply:
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


def described(scenario: Scenario, jobs: list[Any], *, details: bool) -> Reply:
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
