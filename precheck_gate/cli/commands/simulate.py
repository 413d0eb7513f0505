"""The command ``simulate``: serves a scenario until it is interrupted."""

from __future__ import annotations

import contextlib
import shlex
import time
from typing import TYPE_CHECKING

import click

from precheck_gate.cli.options.environment import EnvironmentOption
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.simulator.scenario import Scenario
    from precheck_gate.simulator.server import RequestRecord, Simulator

__all__ = ["simulate"]

DEFAULT_PORT = 8770
# What is printed as the token where the scenario accepts any.
ANY_TOKEN = "rehearsal"  # noqa: S105  # no secret: every token is accepted then

# A signal that arrives just before the wait begins is only seen when the wait ends.
_NAP_SECONDS = 0.5


@click.command()
@click.option(
    "--scenario",
    "scenario_name",
    metavar="FILE|NAME",
    default="demo",
    show_default=True,
    envvar="PRECHECK_GATE_SIMULATE_SCENARIO",
    show_envvar=True,
    cls=EnvironmentOption,
    help="A scenario file, or a built-in scenario: demo, demo-pass, mysql or dds.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=DEFAULT_PORT,
    show_default=True,
    envvar="PRECHECK_GATE_SIMULATE_PORT",
    show_envvar=True,
    cls=EnvironmentOption,
    help="The port to listen on; 0 takes any free one.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    envvar="PRECHECK_GATE_SIMULATE_HOST",
    show_envvar=True,
    cls=EnvironmentOption,
    help="The address to listen on. Anything but loopback lets others on the network in.",
)
@click.option(
    "--quiet",
    is_flag=True,
    envvar="PRECHECK_GATE_SIMULATE_QUIET",
    show_envvar=True,
    cls=EnvironmentOption,
    help="Do not log the requests.",
)
@click.pass_context
def simulate(context: click.Context, scenario_name: str, port: int, host: str, quiet: bool) -> None:
    """Stand in for DRS and IAM, to rehearse a pipeline without a cloud.

    Prints lines for a shell to stdout (they can be sourced) and one line for each request to
    stderr. Ends with Ctrl-C or SIGTERM.
    """
    from precheck_gate.drs.http.endpoints import is_loopback
    from precheck_gate.runtime.clock import SystemClock
    from precheck_gate.simulator.scenario import find_scenario
    from precheck_gate.simulator.server import Simulator

    scenario = find_scenario(scenario_name)
    interrupts = context.ensure_object(Runtime).interrupts
    if not is_loopback(host):
        click.echo(
            f"warning: {host} is not loopback: whoever reaches this machine can talk to the "
            "simulator, and what is sent to it travels unencrypted. Send it no real credential.",
            err=True,
        )
    with Simulator(
        scenario, SystemClock(), host, port, on_request=None if quiet else _log_request
    ) as simulator:
        for line in _introduction(scenario, simulator):
            click.echo(line)
        with interrupts.waiting():
            while True:
                time.sleep(_NAP_SECONDS)


def _introduction(scenario: Scenario, simulator: Simulator) -> Iterator[str]:
    """Yield the lines to print at the start: comments and exports of a shell, nothing else."""
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
        # Where the scenario has users and no token, one has to be got from IAM.
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
    # Whoever reads the log may be gone; the request is answered all the same.
    with contextlib.suppress(OSError):
        click.echo(f"{record.moment:8.2f}s  {asked[:300]}  {record.status}{faults}", err=True)
