"""What is said of a live run beside its verdict: what was selected, and what cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.safetext.cleaning import clean_line, count, hide_credentials, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.cli.options.live import LiveOptions
    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.cli.options.tasks import Filter
    from precheck_gate.cli.progress import Progress
    from precheck_gate.gate import Gate
    from precheck_gate.model.snapshots import About, Observation, Snapshot
    from precheck_gate.model.verdicts import Verdict
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.runtime.console import Console

__all__ = ["announce", "progress_of", "remarks_on", "tell_selection", "tell_service"]

MAX_SHOWN = 40


def progress_of(
    gate: Gate,
    clock: Clock,
    tasks: Sequence[str],
    judge: Callable[[Snapshot], Verdict],
    names: Mapping[str, About],
) -> Progress:
    """Return who shows the progress of tasks, whose names may come later."""
    from precheck_gate.cli.progress import NoProgress, PlainProgress

    console, verbose = gate.console, gate.outputs.verbose
    if gate.outputs.quiet:
        return NoProgress()
    if console.columns(console.progress) is None or not tasks:
        return PlainProgress(console, clock, len(tasks), verbose=verbose, names=names)
    from precheck_gate.cli.progress.live import LiveProgress

    return LiveProgress(console, clock, tasks, judge, verbose=verbose, names=names)


def tell_service(console: Console, service: ServiceSettings) -> None:
    """Say which service is asked about which project, before anything is asked."""
    endpoint = hide_credentials(service.endpoint)
    region = f", region {service.region}" if service.region else ""
    project = service.project_id or f"{service.project_name} (its ID from IAM)"
    console.say(clean_line(f"precheck-gate: endpoint {endpoint}{region}, project {project}"))


def announce(
    console: Console, service: ServiceSettings, project_id: str, policy: str, tasks: int
) -> None:
    """Say what is about to be asked."""
    project = "" if service.project_id or not project_id else f", project {project_id}"
    console.say(
        clean_line(
            f"precheck-gate: {count(tasks, 'task')}{project}, policy {policy}, "
            f"{service.found.description}"
        )
    )


def tell_selection(console: Console, filters: Sequence[Filter], found: Mapping[str, About]) -> None:
    """Say which tasks were selected."""
    console.say(f"{count(len(found), 'task')} selected by {_spelled(filters)}:")
    for task, about in list(found.items())[:MAX_SHOWN]:
        words = (about.name, about.status, about.kind, about.engine)
        console.say(f"  {task}  {clean_line(shorten('  '.join(filter(None, words)), 200))}")
    if len(found) > MAX_SHOWN:
        console.say(f"  … and {len(found) - MAX_SHOWN} more")


def remarks_on(live: LiveOptions, observations: Sequence[Observation]) -> list[str]:
    """Return how the tasks were selected, and whose result may be old."""
    remarks = []
    if live.select:
        were = "task was" if len(observations) == 1 else "tasks were"
        remarks.append(f"{len(observations)} {were} selected by {_spelled(live.select)}")
    # Whoever was seen on the way ended under our eyes.
    old = [one for one in observations if one.snapshot and not _was_seen_running(one)]
    if old and not live.start_precheck:
        one = len(old) == 1
        remarks.append(
            f"{len(old)} of {count(len(observations), 'pre-check')} had finished before this run, "
            f"so {'its result' if one else 'their results'} may be out of date; use "
            f"--start-precheck to run {'it' if one else 'them'} again"
        )
    return remarks


def _was_seen_running(observation: Observation) -> bool:
    return any(percent < 100 for _, percent in observation.timeline)


def _spelled(filters: Sequence[Filter]) -> str:
    return " and ".join(clean_line(shorten(str(one), 100)) for one in filters)
