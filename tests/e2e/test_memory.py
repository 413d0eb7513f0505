"""Memory does not grow with the number of tasks that are judged and reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.evaluating import ID, item

STATUS = Path("/proc/self/status")
ITEMS = 40
PER_FILE = 10
FEW, MANY = 200, 900

# Seven hundred tasks more weigh over 10 MiB as objects. What may grow is the
# index of tasks, and the heap by its own whims.
MOST_GROWTH_KIB = 4 * 1024

# The process tells its own peak: that of a child in wait4() begins with what the parent had.
PROGRAM = """
import sys
from precheck_gate.__main__ import run_main
code = run_main(sys.argv[1:])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):
        print(line.split()[1], code)
"""


def peak_kib(folder: Path, tasks: int) -> int:
    """Return the peak memory of judging some tasks and reporting them in both formats."""
    folder.mkdir()
    items = [item(f"check{n}", "ALARM" if n == 0 else "PASSED", group="g") for n in range(ITEMS)]
    result = {"precheck_id": "ID", "result": True, "process": "100%", "precheck_result": items}
    entry = json.dumps(result)
    for first in range(0, tasks, PER_FILE):
        entries = [entry.replace('"ID"', f'"{n:08d}{ID[8:]}"') for n in range(first, first + 10)]
        text = f'{{"results": [{",".join(entries)}], "count": {PER_FILE}}}'
        (folder / f"{first:06d}.json").write_text(text, encoding="utf-8")
    files = sorted(path.name for path in folder.iterdir())
    env = {name: text for name, text in os.environ.items() if "PRECHECK_GATE_" not in name}
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "evaluate", *files),
            *("--junit", "junit.xml", "--report", "json=report.json"),
        ],
        cwd=folder,
        env=env,
        timeout=120,
        capture_output=True,
        check=True,
        text=True,
    )
    peak, code = done.stdout.split()[-2:]
    assert code == "0", done.stderr
    report = (folder / "report.json").read_text(encoding="utf-8")
    assert f'"passed_with_warnings": {tasks}' in report
    return int(peak)


@pytest.mark.skipif(not STATUS.exists(), reason="there is no /proc/self/status here")
def test_many_times_the_tasks_take_no_more_memory(tmp_path: Path) -> None:
    few = peak_kib(tmp_path / "few", FEW)
    many = peak_kib(tmp_path / "many", MANY)
    assert many - few < MOST_GROWTH_KIB, f"{few} KiB for {FEW} tasks, {many} KiB for {MANY}"
