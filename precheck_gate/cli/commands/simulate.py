"""``precheck-gate simulate``: serve a scenario until interrupted."""

from __future__ import annotations

import contextlib
import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options import PREFIX, option
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from precheck_gate.simulator.scenario import Scenario
    from precheck_gate.simulator.server import RequestRecord, Simulator

DEFAULT_PORT = 8770
# The printed token if the scenario accepts any.
ANY_TOKEN = "rehearsal"  # noqa: S105  # no secret: every token is accepted then

# A signal that arrives just before the sleep is noticed only after it.
_NAP_SECONDS = 0.5


def _option(name: str, **settings: Any) -> Callable[[Any], Any]:
    variable = f"{PREFIX}SIMULATE_{name.removeprefix('--').upper()}"
    return option(name, envvar=variable, show_envvar=True, **settings)


@click.command()
@_option(
    "--scenario",
    metavar="FILE|NAME",
    default="demo",
    help="Scenario file, or a built-in scenario: demo, demo-pass, mysql or dds.",
)
@_option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=DEFAULT_PORT,
    help="Port to listen on; 0 takes any free port.",
)
@_option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    help="Address to listen on. Other than loopback, it lets the network in.",
)
@_option("--quiet", is_flag=True, help="Do not log requests.")
@click.pass_context
def simulate(context: click.Context, scenario: str, port: int, host: str, quiet: bool) -> None:
    """Run a local simulator of DRS and IAM, to test a pipeline without a cloud.

    Prints export lines for a shell to stdout, and one line for each request to stderr. Ends with
    Ctrl-C or SIGTERM.
    """
    from precheck_gate.drs.http.endpoints import is_loopback
    from precheck_gate.runtime.process import SystemClock
    from precheck_gate.simulator.scenario import find_scenario
    from precheck_gate.simulator.server import Simulator

    played = find_scenario(scenario)
    interrupts = context.ensure_object(Runtime).interrupts
    if not is_loopback(host):
        click.echo(
            f"warning: {host} is not a loopback address: others on the network can use the "
            "simulator, and requests are not encrypted. Do not send it real credentials.",
            err=True,
        )
    with Simulator(
        played, SystemClock(), host, port, on_request=None if quiet else _log_request
    ) as simulator:
        for line in _introduction(played, simulator):
            click.echo(line)
        with interrupts.waiting():
            while True:
                time.sleep(_NAP_SECONDS)


def _introduction(scenario: Scenario, simulator: Simulator) -> Iterator[str]:
    """Yield the lines to print at the start, which a shell can source."""
    from precheck_gate.safetext.cleaning import clean_line
    from precheck_gate.simulator.scenario import DEFAULT_PROJECT_ID

    about = f": {scenario.description}" if scenario.description else ""
    yield f"# precheck-gate simulator, scenario {clean_line(scenario.name + about)}"
    yield f"# DRS and IAM at {simulator.url}; ends with Ctrl-C"
    for task in scenario.tasks:
        name = f"  {clean_line(task.name)}" if task.name else ""
        yield f"# task {task.id}  complete after {task.end:g} s{name}"
    for variable, value in (
        ("PRECHECK_GATE_ENDPOINT", simulator.url),
        ("PRECHECK_GATE_PROJECT_ID", scenario.project_id or DEFAULT_PROJECT_ID),
        ("PRECHECK_GATE_TASKS", " ".join(task.id for task in scenario.tasks)),
        # A scenario with users and without a token: the token comes from IAM.
        *(
            []
            if scenario.users and not scenario.token
            else [("PRECHECK_GATE_TOKEN", scenario.token or ANY_TOKEN)]
        ),
    ):
        yield f"export {variable}={shlex.quote(value)}"


def _log_request(record: RequestRecord) -> None:
    from precheck_gate.safetext.cleaning import clean_line

    tasks = f" ({len(record.jobs)} tasks)" if len(record.jobs) != 1 else f" ({record.jobs[0]})"
    faults = f", fault {' and '.join(record.faults)}" if record.faults else ""
    asked = clean_line(f"{record.method} {record.path}{tasks if record.jobs else ''}")
    # The request is answered even if nobody reads the log any more.
    with contextlib.suppress(OSError):
        click.echo(f"{record.moment:8.2f}s  {asked[:300]}  {record.status}{faults}", err=True)
