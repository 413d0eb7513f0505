"""Create the pictures of the documentation from real runs against the simulator."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
WIDTH = 116


def main() -> None:
    """Create all pictures, or those named as arguments: ``demo``, ``progress``, ``report``."""
    makers = {"demo": draw_demo, "progress": draw_progress, "report": photograph_report}
    for name in sys.argv[1:] or makers:
        makers[name]()


def draw_demo() -> None:
    """Run the demo and draw its verdict."""
    with tempfile.TemporaryDirectory() as folder:
        shown = _on_a_terminal(["demo"], folder)
    # The live table is printed between the first lines and the verdict, and then erased.
    announced, *_, verdict = re.split(r"\r?\x1b\[[0-9]*[AJ]", shown)
    first = "\n".join(announced.splitlines()[:2])
    _draw("demo", f"$ precheck-gate demo\n{first}\n{verdict}$ █")


def draw_progress() -> None:
    """Run a wave of tasks and draw the live table at 60 %."""
    from precheck_gate.documents.yaml_document import parse_document
    from precheck_gate.runtime.process import SystemClock
    from precheck_gate.simulator.scenario import load_scenario
    from precheck_gate.simulator.server import Simulator

    scenario = load_scenario(parse_document(_scenario(), "scenario.yaml"))
    with tempfile.TemporaryDirectory() as folder, Simulator(scenario, SystemClock()) as simulator:
        (Path(folder) / "policy.yaml").write_text(POLICY, encoding="utf-8")
        (Path(folder) / "tasks.txt").write_text("\n".join(one.id for one in scenario.tasks))
        shown = _on_a_terminal(
            [
                *("run", "--tasks-from", "tasks.txt", "--policy", "policy.yaml"),
                *("--endpoint", simulator.url, "--project-id", "054ba152d480d55b2f5dc0069e7ddef0"),
                *("--now", "2026-06-15", "--interval", "2s"),
            ],
            folder,
        )
    frames = [frame for frame in shown.split("\x1b[J") if "next poll in" in frame]
    # One second after the answers, when the table shows their age.
    frame = next(frame for frame in frames if _percent(frame) >= 60 and " 1 s ago" in frame)
    table = re.sub(r"\r|\x1b\[[0-9]*[AK]", "", frame)
    command = "precheck-gate run --tasks-from tasks.txt --policy policy.yaml"
    _draw("progress", f"$ {command}\n{table}")


def _percent(frame: str) -> int:
    """Return the progress of all tasks together, from the first line of a frame."""
    plain = re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", frame)
    match = re.search(r"done .*?([0-9]+) %", plain)
    return int(match.group(1)) if match else 0


def _on_a_terminal(argv: list[str], folder: str) -> str:
    """Return what the program writes to a terminal. It must exit with 1 (blocked)."""
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        environment.pop(name, None)
    child = pexpect.spawn(
        sys.executable,
        ["-m", "precheck_gate", *argv],
        cwd=folder,
        env={**environment, "PRECHECK_GATE_TOKEN": "rehearsal"},
        dimensions=(40, WIDTH),
        encoding="utf-8",
        timeout=60,
    )
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus != 1:
        sys.exit(f"the run exited with {child.exitstatus}, not with 1")
    return str(child.before).replace("\r\n", "\n")


def _draw(name: str, text: str) -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text))
    IMAGES.mkdir(exist_ok=True)
    svg = console.export_svg(title="precheck-gate", unique_id=name)
    # The picture must not load a font from another server.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    # Git reports trailing spaces.
    svg = "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
    (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")


TASKS = 14
FAULTS = {
    1: "{item: srcDbBinlogIsOff, result: FAILED, failed_reason: SRC_DB_BINLOG_IS_OFF, "
    'raw_error_msg: "The binary log of the source database is disabled (log_bin = OFF).", '
    'data: \'{"log_bin":"OFF"}\'}',
    3: "{item: dstDbDiskSize, result: ALARM, failed_reason: DST_DISK_SIZE}",
    5: "{item: dstDbConnection, result: FAILED, failed_reason: DST_DB_CONNECTION}",
}
POLICY = """\
version: 1
extends: builtin:default
rules:
  - match: {item: srcCollHasTtlIndex}
    effect: allow
    reason: TTL indexes are made again after the cut-over
  - match: {item: dstDbDiskSize, status: ALARM}
    effect: block
waivers:
  - id: W-17
    match: {item: dstDbDiskSize, task: "*-0000003jb101"}
    reason: The disk is scaled up in the same change
    owner: dba-team
    expires: 2026-06-24
"""


def _scenario() -> str:
    lines = ["version: 1", "tasks:"]
    for number in range(TASKS):
        fault = FAULTS.get(number % 7)
        kind, end = ("dds", "jb105") if number % 7 == 6 else ("mysql", "jb101")
        lines += [
            f"  - id: {number * 7919 + 0x5D2C81F4:08x}-88ad-43c8-811c-{number:07d}{end}",
            f"    answer: {kind}",
            f"    duration: {3 + (number * 5) % 11}s",
            *([f"    items: [{fault}]"] if fault else []),
        ]
    return "\n".join(lines) + "\n"


def photograph_report() -> None:
    """Run the gate on a wave of tasks, and take a screenshot of its HTML report."""
    from playwright.sync_api import sync_playwright

    from precheck_gate.documents.yaml_document import parse_document
    from precheck_gate.runtime.process import SystemClock
    from precheck_gate.simulator.scenario import load_scenario
    from precheck_gate.simulator.server import Simulator

    scenario = load_scenario(parse_document(_scenario(), "scenario.yaml"))
    with tempfile.TemporaryDirectory() as folder, Simulator(scenario, SystemClock()) as simulator:
        (Path(folder) / "policy.yaml").write_text(POLICY, encoding="utf-8")
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "precheck_gate", "run", "--quiet"),
                *("--endpoint", simulator.url, "--project-id", "054ba152d480d55b2f5dc0069e7ddef0"),
                *("--policy", "policy.yaml", "--now", "2026-06-15"),
                *("--report", "html=report.html"),
                *(task.id for task in scenario.tasks),
            ],
            cwd=folder,
            env={**os.environ, "PRECHECK_GATE_TOKEN": "rehearsal"},
            check=False,
        )
        if ran.returncode != 1:
            sys.exit(f"the run exited with {ran.returncode}, not with 1")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--headless", "--no-sandbox", "--disable-gpu"],
            )
            page = browser.new_page(viewport={"width": 1400, "height": 1960}, color_scheme="light")
            page.goto((Path(folder) / "report.html").as_uri())
            IMAGES.mkdir(exist_ok=True)
            page.screenshot(path=IMAGES / "report.png")
            browser.close()


if __name__ == "__main__":
    main()
