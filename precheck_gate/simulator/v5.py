"""Version 5 of the simulated API, without sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from precheck_gate.simulator.faults import Call
from precheck_gate.simulator.messages import (
    DOES_NOT_EXIST,
    INVALID_PARAMETER,
    Response,
    error_reply,
    json_reply,
)
from precheck_gate.simulator.prechecks import fitting
from precheck_gate.simulator.tasks import entries

if TYPE_CHECKING:
    from precheck_gate.simulator.messages import Request
    from precheck_gate.simulator.prechecks import Prechecks
    from precheck_gate.simulator.scenario import Scenario
    from precheck_gate.simulator.tasks import SimulatedTask


_ONLY_V5 = {"is_skipped": False, "is_support_skip": False}
_MOST = 1000


def call_of(call: Call, query: str) -> Call:
    """Return the call that is meant: one path serves results and details."""
    kind = parse_qs(query).get("type", ["overview"])[0]
    return Call.DETAIL if call is Call.RESULTS and kind != "precheck" else call


def named_jobs(path: str, body: Any) -> tuple[str, ...]:
    """Return the IDs that a request names, in its path or its body."""
    part = path.split("/")[4:5]
    if part and part != ["action"]:
        return (part[0],)
    jobs = body.get("jobs") if isinstance(body, dict) else None
    named = [job.get("job_id") for job in jobs if isinstance(job, dict)] if jobs else []
    return tuple(job for job in named if isinstance(job, str))


def without_v5(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of v3's results, whose items know nothing of being skipped."""
    items = entry.get("precheck_result")
    for item in items if isinstance(items, list) else []:
        for key in _ONLY_V5:
            if isinstance(item, dict):
                item.pop(key, None)
    return entry


class ServiceV5:
    """Answers the calls of v5."""

    def __init__(self, scenario: Scenario, prechecks: Prechecks) -> None:
        self._scenario = scenario
        self._prechecks = prechecks

    def reply(self, call: Call, request: Request, body: Any, moment: float) -> Response:
        """Return the answer to a request."""
        path, _, asked = request.target.partition("?")
        query = {name: values[0] for name, values in parse_qs(asked).items()}
        if call is Call.START:
            return self._start(path, body, moment)
        if call is Call.LIST:
            return self._list(query)
        task = self._scenario.task(path.rpartition("/")[2])
        if task is None:
            # (unverified) the status and the code for a task that is not known.
            return error_reply(400, DOES_NOT_EXIST)
        if call is Call.DETAIL:
            return json_reply(200, {"job": _detail(task)})
        language = request.headers.get("x-language", "en-us")
        return self._result(task, query.get("query_id", ""), language, moment)

    def _result(self, task: SimulatedTask, query: str, language: str, moment: float) -> Response:
        found = self._prechecks.queried(task.id, query, moment)
        if found is None:
            # (unverified) how the service answers for a query ID that it does not know.
            return error_reply(400, INVALID_PARAMETER, "The query ID does not exist.")
        job: dict[str, Any] = {"id": task.id, "status": task.status}
        for entry in entries(*found, language=language)[:1]:
            result = {key: part for key, part in entry.items() if key != "precheck_id"}
            items = result.pop("precheck_result", None)
            if isinstance(items, list):
                items = [{**_ONLY_V5, **item} for item in items]
            job["precheck_result"] = {**result, "precheck_results": items}
        return json_reply(200, {"job": job})

    def _start(self, path: str, body: Any, moment: float) -> Response:
        one = path.split("/")[4] if path.count("/") == 5 else ""
        actions = [body.get("job")] if one and isinstance(body, dict) else _jobs(body)
        answers: list[dict[str, Any]] = []
        for action in actions:
            if not isinstance(action, dict):
                return error_reply(400, INVALID_PARAMETER, "An action is not an object.")
            params = action.get("action_params")
            if not isinstance(params, dict) or action.get("action_name") != "precheck":
                return error_reply(400, INVALID_PARAMETER, "The action is not supported.")
            job = one or str(action.get("job_id"))
            told = self._prechecks.start(job, str(params.get("precheck_mode")), moment)
            task = self._scenario.task(job)
            if told["status"] == "success":
                name = task.name if task else ""
                answers.append({"query_id": told["precheck_id"], "id": job, "name": name})
            elif one:
                return error_reply(400, told["error_code"], told["error_msg"])
            # (unverified) that a job that cannot be started is left out of the answer.
        if one:
            return json_reply(202, {"query_id": answers[0]["query_id"]})
        if not actions:
            return error_reply(400, INVALID_PARAMETER, "The parameter jobs is missing or empty.")
        return json_reply(202, {"jobs": answers})

    def _list(self, query: dict[str, str]) -> Response:
        try:
            first, size = int(query.get("offset", "0")), int(query.get("limit", "10"))
        except ValueError:
            first = size = -1
        if not (first >= 0 and 0 < size <= _MOST):
            return error_reply(400, INVALID_PARAMETER, "offset and limit are out of range.")
        wanted: dict[str, Any] = {**query, "db_use_type": query.get("job_type")}
        found = fitting(self._scenario, wanted)
        jobs = [
            {
                "id": task.id,
                "name": task.name,
                "status": task.status,
                "engine_type": task.engine,
                "job_type": task.kind,
            }
            for task in found[first : first + size]
        ]
        return json_reply(200, {"total_count": len(found), "jobs": jobs})


def _jobs(body: Any) -> list[Any]:
    jobs = body.get("jobs") if isinstance(body, dict) else None
    return jobs if isinstance(jobs, list) else []


def _detail(task: SimulatedTask) -> dict[str, Any]:
    base = {"name": task.name, "job_type": task.kind, "engine_type": task.engine}
    return {"id": task.id, "status": task.status, "base_info": base}
