"""``precheck-gate doctor``: shows which settings are used, what works, and how to fix the rest."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options import Command, option
from precheck_gate.cli.options.service import (
    open_access,
    open_transport,
    read_service,
    service_options,
)
from precheck_gate.cli.options.tasks import NamedTask, select_tasks, source_of_tasks, tasks_argument
from precheck_gate.cli.options.types import SPAN
from precheck_gate.errors import BatchRefused, ExitCode, ServiceError, UsageError
from precheck_gate.model.snapshots import Snapshot
from precheck_gate.runtime.console import Console, Style
from precheck_gate.runtime.process import Runtime
from precheck_gate.safetext.cleaning import hide_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.drs.api.v3 import DrsClient

# A task that does not exist: querying it changes nothing, and the refusal shows the permission.
NO_TASK = "00000000-0000-0000-0000-0000000jb000"
_UNKNOWN_TASK = frozenset({"DRS.M00289", "DRS.10000010", "DRS.M05004"})

_EXIT_CODES = {0: "everything works", 2: "the settings are invalid", 4: "another check failed"}
_BRIEF = {
    "region": "Huawei Cloud region, such as eu-west-101.",
    "project_id": "Project of the tasks. Default: looked up in IAM.",
    "token_file": "File that contains an IAM token.",
    "profile_name": "Profile of the shared credentials file.",
    "ca_bundle": "Trust these certificates (PEM) for TLS.",
    "debug_http": "Log each HTTP request and response to stderr.",
    "step_timeout": "Time limit for each check. Default: 10s.",
}
_EPILOG = """\b
Example:
  precheck-gate doctor --region eu-west-101 --project-id 054ba152d480d55b2f5dc0069e7ddef0

Each line begins with ok, fail or skip. The output contains no credentials and no passwords, so you
can paste it into a ticket.
"""


@click.command(cls=Command, exit_codes=_EXIT_CODES, brief=_BRIEF, epilog=_EPILOG)
@tasks_argument
@service_options
@option(
    "--step-timeout",
    type=SPAN,
    default="10s",
    help="Time limit for each check.",
)
@click.pass_context
def doctor(ctx: click.Context, /, **options: Any) -> int:
    """Check settings, credentials, network, clock, IAM and permissions.

    Takes the options of 'run'. Queries the given tasks (TASK_ID), or without any a task that does
    not exist. Changes nothing.
    """
    console = Console()
    source = source_of_tasks(ctx, "the command line")
    try:
        return _Checks(console, ctx.ensure_object(Runtime), options, source).run()
    finally:
        console.flush()


@dataclass
class _Checks:
    """Runs the checks one by one, and skips those that need a failed one."""

    console: Console
    runtime: Runtime
    options: dict[str, Any]
    source: str
    failed: bool = False

    def run(self) -> int:
        """Return the exit code."""
        if not self._settings():
            return int(ExitCode.USAGE)
        endpoint, iam_endpoint = self.service.endpoint, self.service.iam_endpoint
        reachable = self._network(endpoint)
        if iam_endpoint and iam_endpoint != endpoint:
            reachable = self._network(iam_endpoint) and reachable
        debug_http: bool = self.options["debug_http"]
        bundle = self.service.ca_bundle
        self.transport = open_transport(bundle, self.runtime, self.console, debug_http=debug_http)
        self.access = open_access(self.service, self.transport.send, self.runtime)
        if not reachable:
            self._skip("clock", "the service is unreachable")
        if not (reachable and self._clock()):
            for step in ("iam", "project", "query"):
                self._skip(step, "the service is unreachable")
        elif self._iam() and self._project():
            self._query()
        else:
            self._skip("query", "needs a token and a project")
        return int(ExitCode.SERVICE if self.failed else ExitCode.PASSED)

    def _settings(self) -> bool:
        named = [NamedTask(task, self.source) for task in self.options["tasks"]]
        try:
            self.tasks = select_tasks(named) if named else []
            self.service = service = read_service(self.options)
        except UsageError as error:
            return self._fail("settings", error.message, error.hint)
        project = service.project_id or f"of region {service.region}, looked up in IAM"
        iam = f", IAM {service.iam_endpoint}" if service.iam_endpoint else ""
        self._ok("settings", f"endpoint {service.endpoint}{iam}, project {project}")
        self._ok("credential", service.found.description)
        for warning in service.found.warnings:
            self._ok("credential", f"warning: {warning}")
        return True

    def _network(self, url: str) -> bool:
        from precheck_gate.drs.http.probing import Prober

        seconds: float = self.options["step_timeout"]
        prober = Prober(url, self.service.ca_bundle, seconds, self.runtime.interrupts)
        for step, look in (
            ("proxy", prober.proxy),
            ("dns", prober.name),
            ("tls", prober.connection),
        ):
            finding = look()
            if finding.good is False:
                return self._fail(step, finding.text, finding.advice)
            self._print("skip" if finding.good is None else "ok", step, finding.text)
        return True

    def _clock(self) -> bool:
        from precheck_gate.drs.auth.requests_auth import NoAuth
        from precheck_gate.drs.http.messages import HttpRequest

        url, seconds = f"{self.service.endpoint}/", self.options["step_timeout"]
        skew = self.access.skew
        with self._step("clock"):
            reply = self.transport.send(HttpRequest("GET", url), NoAuth(), seconds)
            skew.note(reply.headers)
            difference = f"{skew.description} the service's clock"
            if skew.seconds is None:
                self._skip("clock", "the service sends no date")
            elif skew.advice:
                self._fail("clock", difference, skew.advice)
            else:
                self._ok("clock", f"{difference}, close enough")
            return True
        return False

    def _iam(self) -> bool:
        if not self.service.found.credential.needs_iam:
            return self._skip("iam", f"not needed with the {self.access.credential.label}")
        with self._step("iam"):
            self.access.ready(self.options["step_timeout"])
            return self._ok("iam", "issued a token")
        self._skip("project", "needs a token")
        return False

    def _project(self) -> bool:
        if self.service.project_id:
            return self._skip("project", f"{self.service.project_id} is set")
        with self._step("project"):
            project = self.access.project_id(self.options["step_timeout"])
            return self._ok("project", f"{project} of region {self.service.region}")
        return False

    def _query(self) -> None:
        from precheck_gate.drs.api.v3 import DrsClient

        access, clock = self.access, self.runtime.the_clock()
        client = DrsClient(
            self.service.endpoint, access.project_id, access.send, clock, advice=access.advice
        )
        # The service advises at most ten per request.
        for start in range(0, max(1, len(self.tasks)), 10):
            with self._step("query"):
                self._ask(client, self.tasks[start : start + 10])

    def _ask(self, client: DrsClient, tasks: list[str]) -> None:
        try:
            answer = client.precheck_results(tasks or [NO_TASK], self.options["step_timeout"])
        except BatchRefused as refused:
            if tasks or refused.code not in _UNKNOWN_TASK:
                raise
            self._ok("query", "permitted (queried a task that does not exist)")
            return
        bad = [task for task in tasks if not isinstance(answer.entries.get(task), Snapshot)]
        results = f"results for {len(tasks) - len(bad)} of {len(tasks)} tasks"
        self._ok("query", f"permitted, {results}")
        if bad:
            advice = "Check the task IDs, and whether their pre-checks were started."
            self._fail("query", f"no result for {', '.join(bad)}", advice)

    # Output

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        try:
            yield
        except ServiceError as error:
            self._fail(step, error.message, error.hint)

    def _ok(self, step: str, text: str) -> bool:
        self._print("ok", step, text)
        return True

    def _skip(self, step: str, text: str) -> bool:
        self._print("skip", step, text)
        return True

    def _fail(self, step: str, text: str, advice: str) -> bool:
        self.failed = True
        self._print("fail", step, text)
        if advice:
            self._print("", "", f"next: {advice}")
        return False

    def _print(self, status: str, step: str, text: str) -> None:
        style = {"ok": Style.GOOD, "fail": Style.BAD, "skip": Style.FAINT}.get(status, "")
        stream = self.console.result
        sign = self.console.paint(stream, style, f"{status:<4}") if style else " " * 4
        words = self.console.paint(stream, "", f"  {step:<10}  {hide_credentials(text)}")
        self.console.print_result(f"{sign}{words}")
