"""Makes the pictures of the documentation from real runs on the simulator: they stay true."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
WIDTH = 108


def main() -> None:
    """Make all pictures, or those that are named: ``demo``, ``report``."""
    for name in sys.argv[1:] or ["demo", "report"]:
        {"demo": draw_demo, "report": photograph_report}[name]()


def draw_demo() -> None:
    """Run the demo and draw what it printed."""
    environment = {**os.environ, "FORCE_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    environment.pop("NO_COLOR", None)
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, "-m", "precheck_gate", "demo"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
    if ran.returncode != 1:
        sys.exit(f"the demo ended with {ran.returncode}, not with 1")
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("$ precheck-gate demo\n" + ran.stdout + "$ █"))
    IMAGES.mkdir(exist_ok=True)
    svg = console.export_svg(title="precheck-gate", unique_id="demo")
    # No picture of ours fetches a font from somebody else's server.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (IMAGES / "demo.svg").write_text(svg, encoding="utf-8")


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
    """Gate a wave of tasks on the simulator, and photograph its HTML report."""
    from playwright.sync_api import sync_playwright

    from precheck_gate.clock import SystemClock
    from precheck_gate.documents import parse_document
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
            sys.exit(f"the run ended with {ran.returncode}, not with 1")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--headless", "--no-sandbox", "--disable-gpu"],
            )
            page = browser.new_page(viewport={"width": 1400, "height": 1560}, color_scheme="light")
            page.goto((Path(folder) / "report.html").as_uri())
            IMAGES.mkdir(exist_ok=True)
            page.screenshot(path=IMAGES / "report.png")
            browser.close()


if __name__ == "__main__":
    main()
