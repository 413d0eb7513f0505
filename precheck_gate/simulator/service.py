"""The simulated DRS and IAM: what they answer to a request. Knows no socket."""

from __future__ import annotations

import hmac
import re
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from precheck_gate.documents.strict_json import loads
from precheck_gate.simulator import v5
from precheck_gate.simulator.faults import Call, FaultPlan, Faults, Stage, alter
from precheck_gate.simulator.iam import ID_TOKEN_PATH, SignatureCheck, SimulatedIam
from precheck_gate.simulator.messages import (
    DOES_NOT_EXIST,
    FAILED,
    INVALID_PARAMETER,
    NO_SUCH_API,
    WRONG_CREDENTIALS,
    Request,
    Response,
    Shape,
    error_fields,
    error_reply,
    json_reply,
)
from precheck_gate.simulator.prechecks import Prechecks, described, listed
from precheck_gate.simulator.scenario import DEFAULT_PROJECT_ID, Scenario, UnknownTask
from precheck_gate.simulator.tasks import entries

if TYPE_CHECKING:
    from precheck_gate.runtime.process import Clock


_TASK_ID = re.compile(r"[0-9A-Za-z]{8}(-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}")
_ROUTES = (
    ("POST", re.compile(r"/v5/([^/]+)/jobs/action"), Call.START),
    ("POST", re.compile(r"/v5/([^/]+)/jobs/[^/]+/action"), Call.START),
    ("GET", re.compile(r"/v5/([^/]+)/jobs/[^/]+"), Call.RESULTS),
    ("GET", re.compile(r"/v5/([^/]+)/jobs"), Call.LIST),
    ("POST", re.compile(r"/v3/([^/]+)/jobs/batch-precheck-result"), Call.RESULTS),
    ("POST", re.compile(r"/v3/([^/]+)/jobs/batch-precheck"), Call.START),
    ("POST", re.compile(r"/v3/([^/]+)/jobs/batch-status"), Call.STATUS),
    ("POST", re.compile(r"/v3/([^/]+)/jobs/batch-detail"), Call.DETAIL),
    ("POST", re.compile(r"/v3/([^/]+)/jobs"), Call.LIST),
    ("POST", re.compile(r"/v3/auth/tokens"), Call.TOKEN),
    ("POST", re.compile(r"/v3\.0/OS-AUTH/id-token/tokens"), Call.TOKEN),
    ("GET", re.compile(r"/v3/projects"), Call.PROJECTS),
)
_MODES = ("forStartJob", "forRetryJob")
_MAX_STARTS = 10


@dataclass(frozen=True, slots=True)
class Handled:
    """What to send for a request, the faults that hit it, and the tasks that it named."""

    reply: Response
    faults: Faults = field(default_factory=Faults)
    jobs: tuple[str, ...] = ()


class _Refused(Exception):
    """Carries the error to answer with."""

    def __init__(self, reply: Response) -> None:
        super().__init__(reply.status)
        self.reply = reply


class SimulatedService:
    """Answers requests by a scenario, whose moments count from now. Safe to call from threads."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        self._lock = threading.Lock()
        self._plan = FaultPlan(scenario.faults)
        self._start = clock.monotonic()
        self._iam = SimulatedIam(scenario, clock)
        self._signatures = SignatureCheck(scenario, clock)
        self._prechecks = Prechecks(scenario)
        self._v5 = v5.ServiceV5(scenario, self._prechecks)

    @property
    def moment(self) -> float:
        """Seconds since the simulator's start."""
        return self._clock.monotonic() - self._start

    @property
    def date(self) -> str:
        """The service's time, which the scenario may set wrong, for the header ``Date``."""
        return format_datetime(
            self._clock.now() + timedelta(seconds=self._scenario.clock_skew), usegmt=True
        )

    def answer(self, request: Request, request_id: str) -> Handled:
        """Return the answer to a request, faults included."""
        # Not urlsplit: it raises on targets that a hostile client may well send.
        path, _, query = request.target.partition("?")
        if request.method == "GET" and path == ID_TOKEN_PATH:
            return Handled(self._iam.id_token(request, query))
        try:
            call, project = self._offered(request.method, path)
            if path.startswith("/v5/"):
                call = v5.call_of(call, query)
            self._authenticate(call, request, request_id)
        except _Refused as refused:
            return Handled(refused.reply)
        except LookupError:
            return Handled(error_reply(404, NO_SUCH_API, request_id=request_id))
        body = _json_or_none(request.body)
        jobs = v5.named_jobs(path, body) if path.startswith("/v5/") else _named_jobs(call, body)
        with self._lock:
            faults = self._plan.hit(call, jobs, self.moment)
            try:
                reply = self._reply(call, project, body, request, query)
            except _Refused as refused:
                reply = refused.reply
        fault = faults[Stage.ANSWER]
        if fault is not None:
            reply = alter(fault, reply, jobs, request_id)
        return Handled(reply, faults, jobs)

    def _offered(self, method: str, path: str) -> tuple[Call, str]:
        call, project = _route(method, path)
        version = path[1:3]
        # IAM has a v3 of its own, which stays.
        if call not in (Call.TOKEN, Call.PROJECTS) and version not in self._scenario.apis:
            raise LookupError(path)
        return call, project

    def _authenticate(self, call: Call, request: Request, request_id: str) -> None:
        if call is Call.TOKEN:
            return
        token = request.headers.get("x-auth-token")
        if token is not None:
            complaint, permitted = "", self._iam.permits(token)
            known = self._accepts(token)
        else:
            complaint, permitted = self._signatures.examine(request)
            known = not complaint
        if not known:
            reply = error_reply(401, WRONG_CREDENTIALS, complaint, request_id=request_id)
            raise _Refused(reply)
        if not permitted and call is not Call.PROJECTS:
            # (unverified) the code and the words; no name of a permission is documented.
            message = "The permission to query DRS tasks is missing."
            raise _Refused(error_reply(403, FAILED, message, request_id=request_id))

    def _accepts(self, token: str) -> bool:
        scenario = self._scenario
        if self._iam.issued(token):
            return self._iam.accepts(token)
        if scenario.token and self._iam.revoked(0.0):
            return False
        if scenario.token:
            return hmac.compare_digest(token.encode(), scenario.token.encode())
        return bool(token) and scenario.users is None

    def _reply(self, call: Call, project: str, body: Any, request: Request, query: str) -> Response:
        if call is Call.TOKEN:
            if "x-idp-id" in request.headers or "OS-AUTH" in request.target:
                return self._iam.issue_for_id_token(request.headers.get("x-idp-id", ""), body)
            return self._iam.issue(body)
        if call is Call.PROJECTS:
            return self._iam.projects(parse_qs(query).get("name", [""])[0])
        if self._scenario.project_id not in ("", project):
            # (unverified) how the service answers for a project that is not the token's.
            raise _Refused(
                error_reply(400, INVALID_PARAMETER, "The parameter project_id is invalid.")
            )
        if request.target.startswith("/v5/"):
            return self._v5.reply(call, request, body, self.moment)
        if call is Call.START:
            return self._start_prechecks(body)
        if call is Call.LIST:
            return listed(self._scenario, body)
        if call in (Call.STATUS, Call.DETAIL):
            return described(self._scenario, _list_of_jobs(body), details=call is Call.DETAIL)
        return self._results(body, request.headers.get("x-language", "en-us"))

    def _results(self, body: Any, language: str) -> Response:
        jobs = _list_of_jobs(body)
        if not all(isinstance(job, str) and _TASK_ID.fullmatch(job) for job in jobs):
            raise _invalid("A task ID has the wrong form.")
        if len(set(jobs)) != len(jobs):
            raise _invalid("A task ID is duplicated.")
        faulty = {job: code for job in jobs if (code := self._trouble(job))}
        if faulty and self._scenario.unknown_task is not UnknownTask.ENTRY:
            shape = Shape(self._scenario.unknown_task.value)
            code = next(iter(faulty.values()))
            raise _Refused(error_reply(400, code, shape=shape, tasks=tuple(faulty)))
        moment = self.moment
        results: list[dict[str, Any]] = []
        for job in jobs:
            if job in faulty:
                results.append({"precheck_id": job, **error_fields(faulty[job])})
                continue
            task, since = self._prechecks.at(job, moment)
            results.extend(map(v5.without_v5, entries(task, since, language=language)))
        return json_reply(200, {"results": results, "count": len(results)})

    def _trouble(self, job: str) -> str:
        """Return the error code for a task that cannot be asked for results, or ""."""
        if self._scenario.task(job) is None:
            return DOES_NOT_EXIST
        # (unverified) the code for a task whose pre-check was never started.
        return "" if self._prechecks.known(job) else FAILED

    def _start_prechecks(self, body: Any) -> Response:
        jobs = _list_of_jobs(body)
        for job in jobs:
            if not isinstance(job, dict) or not isinstance(job.get("job_id"), str):
                raise _invalid("A job has no job_id.")
            if job.get("precheck_mode") not in _MODES:
                raise _invalid(f"precheck_mode must be one of {', '.join(_MODES)}.")
        # (unverified) how the service refuses more than the ten tasks that it allows.
        if len(jobs) > _MAX_STARTS:
            raise _invalid(f"At most {_MAX_STARTS} jobs are allowed.")
        results = [
            self._prechecks.start(job["job_id"], job["precheck_mode"], self.moment) for job in jobs
        ]
        return json_reply(200, {"results": results, "count": len(results)})


def _route(method: str, path: str) -> tuple[Call, str]:
    for known_method, pattern, call in _ROUTES:
        match = pattern.fullmatch(path)
        if match and method == known_method:
            return call, match.group(1) if match.groups() else DEFAULT_PROJECT_ID
    raise LookupError(path)


def _json_or_none(body: bytes) -> Any:
    try:
        return loads(body)
    except ValueError:
        return None


def _named_jobs(call: Call, body: Any) -> tuple[str, ...]:
    """Return the IDs that a body names, however wrong the rest of it is."""
    jobs = body.get("jobs") if isinstance(body, dict) else None
    if not isinstance(jobs, list):
        return ()
    if call is Call.START:
        jobs = [job.get("job_id") for job in jobs if isinstance(job, dict)]
    return tuple(job for job in jobs if isinstance(job, str))


def _list_of_jobs(body: Any) -> list[Any]:
    jobs = body.get("jobs") if isinstance(body, dict) else None
    if not isinstance(jobs, list) or not jobs:
        raise _invalid("The parameter jobs is missing, empty or not a list.")
    return jobs


def _invalid(message: str) -> _Refused:
    return _Refused(error_reply(400, INVALID_PARAMETER, message))
