"""``precheck-gate doctor``: says what would be used, what works, and what to do about the rest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options.sections import SectionedCommand
from precheck_gate.cli.options.service import (
    open_access,
    open_transport,
    read_service,
    service_options,
)
from precheck_gate.cli.options.shared import option, tasks_argument
from precheck_gate.cli.options.task_list import source_of_tasks
from precheck_gate.cli.options.types import Duration
from precheck_gate.errors import BatchRefused, ServiceError, UsageError
from precheck_gate.exits import ExitCode
from precheck_gate.model.snapshots import Snapshot
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.drs.auth.session import Access
    from precheck_gate.drs.http.probing import Finding
    from precheck_gate.drs.http.transport import HttpTransport
    from precheck_gate.runtime.console import Console

__all__ = ["doctor"]

# A task that nobody has: asking for it changes nothing, and the refusal tells all there is to know.
NO_TASK = "00000000-0000-0000-0000-0000000jb000"
_UNKNOWN_TASK = frozenset({"DRS.M00289", "DRS.10000010", "DRS.M05004"})

_EPILOG = """\b
Example:
  precheck-gate doctor --region eu-west-101 --project-id 054ba152d480d55b2f5dc0069e7ddef0

Each line begins with ok, fail or skip. No credential is printed, nor the password in a URL: the
output can go into a ticket.

\b
Exit codes: 0 all is well, 2 the settings cannot be used, 4 something else failed.
"""


@click.command(cls=SectionedCommand, epilog=_EPILOG)
@tasks_argument
@service_options
@option(
    "--step-timeout",
    type=Duration(least=1),
    default="10s",
    show_default=True,
    help="How long each step may take.",
)
@click.pass_context
def doctor(ctx: click.Context, /, **options: Any) -> int:
    """Check the way to the service: settings, credential, network, clock, IAM, permission.

    Takes the options of 'run', and asks for the tasks given (TASK_ID) or, without any, for one
    that does not exist; nothing is changed.
    """
    from precheck_gate.runtime.console import Console

    console = Console()
    source = source_of_tasks(ctx, "the command line")
    examination = Examination(console, ctx.ensure_object(Runtime), options, source)
    try:
        return examination.run()
    finally:
        console.flush()


class Examination:
    """Goes through the steps; what a failed step takes along is skipped."""

    def __init__(
        self, console: Console, runtime: Runtime, options: dict[str, Any], source: str
    ) -> None:
        self._console = console
        self._runtime = runtime
        self._options = options
        self._source = source
        self._seconds: float = options["step_timeout"]
        self._failed = False

    def run(self) -> int:
        """Return the exit code."""
        settings = self._settings()
        if settings is None:
            return int(ExitCode.USAGE)
        service, tasks = settings
        reachable = self._way_to(service.endpoint, service)
        if service.iam_endpoint and service.iam_endpoint != service.endpoint:
            reachable = self._way_to(service.iam_endpoint, service) and reachable
        transport = open_transport(
            service.ca_bundle,
            self._runtime,
            self._console,
            debug_http=self._options["debug_http"],
        )
        access = open_access(service, transport.send, self._runtime)
        if not reachable:
            self._skip("clock", "the service is out of reach")
        if not (reachable and self._clock(service, transport, access)):
            for step in ("iam", "project", "query"):
                self._skip(step, "the service is out of reach")
        elif self._iam(service, access) and self._project(service, access):
            self._query(service, access, tasks)
        else:
            self._skip("query", "there is nothing to ask with")
        return int(ExitCode.SERVICE) if self._failed else int(ExitCode.PASSED)

    # What can be seen without asking anybody

    def _settings(self) -> tuple[ServiceSettings, Sequence[str]] | None:
        from precheck_gate.cli.options.task_lists import NamedTask, select_tasks

        named = [NamedTask(task, self._source) for task in self._options["tasks"]]
        try:
            tasks = select_tasks(named) if named else []
            service = read_service(self._options)
        except UsageError as error:
            self._fail("settings", error.message, error.hint)
            return None
        project = service.project_id or f"that of the region {service.region}, by IAM"
        iam = f", IAM {service.iam_endpoint}" if service.iam_endpoint else ""
        self._ok("settings", f"endpoint {service.endpoint}{iam}, project {project}")
        self._ok("credential", service.found.description)
        for warning in service.found.warnings:
            self._say("ok", "credential", f"but {warning}")
        return service, tasks

    # The way to a host

    def _way_to(self, url: str, service: ServiceSettings) -> bool:
        from precheck_gate.drs.http.probing import Prober

        prober = Prober(url, service.ca_bundle, self._seconds, self._runtime.interrupts)
        steps = (("proxy", prober.proxy), ("dns", prober.name), ("tls", prober.connection))
        return all(self._tell(name, look()) for name, look in steps)

    def _tell(self, step: str, finding: Finding) -> bool:
        if finding.good is None:
            self._skip(step, finding.text)
        elif finding.good:
            self._ok(step, finding.text)
        else:
            self._fail(step, finding.text, finding.advice)
        return finding.good is not False

    # What has to be asked

    def _clock(self, service: ServiceSettings, transport: HttpTransport, access: Access) -> bool:
        from precheck_gate.drs.auth.requests_auth import NoAuth

        try:
            reply = transport.send(
                "GET", f"{service.endpoint}/", auth=NoAuth(), seconds=self._seconds
            )
        except ServiceError as error:
            self._fail("clock", error.message, error.hint)
            return False
        access.skew.note(reply.headers)
        if access.skew.seconds is None:
            self._skip("clock", "the service does not tell the time")
        elif access.skew.advice:
            self._fail("clock", f"{access.skew.description} the service's", access.skew.advice)
        else:
            self._ok("clock", f"{access.skew.description} the service's, which is near enough")
        return True

    def _iam(self, service: ServiceSettings, access: Access) -> bool:
        if not service.found.credential.needs_iam:
            self._skip("iam", f"not needed for the {access.credential.label}")
            return True
        try:
            access.ready(self._seconds)
        except ServiceError as error:
            self._fail("iam", error.message, error.hint)
            self._skip("project", "there is no token to ask with")
            return False
        self._ok("iam", "issued a token")
        return True

    def _project(self, service: ServiceSettings, access: Access) -> bool:
        if service.project_id:
            self._skip("project", f"{service.project_id} is given")
            return True
        try:
            project = access.project_id(self._seconds)
        except ServiceError as error:
            self._fail("project", error.message, error.hint)
            return False
        self._ok("project", f"{project} is that of the region {service.region}")
        return True

    def _query(self, service: ServiceSettings, access: Access, tasks: Sequence[str]) -> None:
        from precheck_gate.drs.api.v3 import DrsClient

        client = DrsClient(
            service.endpoint,
            access.project_id,
            access.post,
            self._runtime.the_clock(),
            advice=access.advice,
        )
        # At most ten in a request, as the service advises.
        for start in range(0, max(1, len(tasks)), 10):
            self._ask(client, tasks[start : start + 10])

    def _ask(self, client: Any, tasks: Sequence[str]) -> None:
        try:
            answer = client.precheck_results(tasks or [NO_TASK], self._seconds)
        except BatchRefused as refused:
            if not tasks and refused.code in _UNKNOWN_TASK:
                self._ok("query", "permitted (asked for a task that does not exist)")
                return
            self._fail("query", refused.message, refused.hint)
        except ServiceError as error:
            self._fail("query", error.message, error.hint)
        else:
            good = [task for task in tasks if isinstance(answer.entries.get(task), Snapshot)]
            bad = [task for task in tasks if task not in good]
            self._ok("query", f"permitted, answered for {len(good)} of {len(tasks)} tasks")
            if bad:
                advice = "Check the tasks' IDs; was their pre-check started?"
                self._fail("query", f"no result for {', '.join(bad)}", advice)

    # Telling

    def _ok(self, step: str, text: str) -> None:
        self._say("ok", step, text)

    def _skip(self, step: str, text: str) -> None:
        self._say("skip", step, text)

    def _fail(self, step: str, text: str, advice: str) -> None:
        self._failed = True
        self._say("fail", step, text)
        if advice:
            self._say("", "", f"next: {advice}")

    def _say(self, status: str, step: str, text: str) -> None:
        from precheck_gate.runtime.console import Style
        from precheck_gate.safetext.cleaning import hide_credentials

        style = {"ok": Style.GOOD, "fail": Style.BAD, "skip": Style.FAINT}.get(status, "")
        stream = self._console.result or sys.stdout
        sign = self._console.paint(stream, style, f"{status:<4}") if style else " " * 4
        words = self._console.paint(stream, "", f"  {step:<10}  {hide_credentials(text)}")
        self._console.print_result(f"{sign}{words}")
