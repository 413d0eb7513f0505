"""How long `evaluate` takes over many answers, and how much memory, against the bare parts.

The yardstick does no judging and checks nothing: it parses the same files with `json.loads`, and
hands every item to junit-xml as a test case. It comes in two forms: suites built and written one
by one, and all of them at once by `junit_xml.to_xml_report_file`, as its documentation shows.

Each runs as a process of its own, in turns; time and peak memory are those of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TAIL = "-88ad-43c8-811c-1268453jb101"
LIMIT_MIB = 150


class Taken(NamedTuple):
    """What a process took."""

    seconds: float
    mib: float


def write_answers(folder: Path, tasks: int, items: int, per_file: int) -> list[Path]:
    """Write answers with a warning in each task and a failure in each tenth; return the files."""
    files = []
    for first in range(0, tasks, per_file):
        results = [result(number, items) for number in range(first, min(first + per_file, tasks))]
        path = folder / f"{first // per_file:06d}.json"
        path.write_text(json.dumps({"count": len(results), "results": results}), encoding="utf-8")
        files.append(path)
    return files


def result(number: int, items: int) -> dict[str, Any]:
    """Return what the service might say of one task."""
    broken = number % 10 == 9
    checks: list[dict[str, Any]] = [
        {
            "item": f"checkNumber{index}",
            "result": "PASSED",
            "group": "db_params",
            "data": '{"diskSizeTimes":"1.5","dstVolumeSize":"37660000000","size":"0"}',
        }
        for index in range(items)
    ]
    checks[0] |= {"result": "ALARM", "failed_reason": "SRC_HAS_TTL_INDEXES"}
    if broken:
        checks[-1] |= {"result": "FAILED", "failed_reason": "BINLOG_IS_OFF"}
    return {
        "precheck_id": f"{number:08d}{TAIL}",
        "process": "100%",
        "result": not broken,
        "total_passed_rate": "97.5%" if broken else "100%",
        "rds_instance_id": "e05a3679efe241d8b5dee80b17c1a863in01",
        "job_direction": "up",
        "precheck_result": checks,
    }


def suites(folder: Path) -> Iterator[Any]:
    """Yield a suite of junit-xml for each task, with a case for each item."""
    import junit_xml

    for path in sorted(folder.glob("*.json")):
        for task in json.loads(path.read_bytes())["results"]:
            cases = []
            for item in task["precheck_result"]:
                case = junit_xml.TestCase(item["item"], f"{task['precheck_id']}.{item['group']}")
                reason = item.get("failed_reason")
                if item["result"] == "FAILED":
                    case.add_failure_info(reason, reason)
                elif item["result"] == "ALARM":
                    case.add_skipped_info(reason, reason)
                cases.append(case)
            yield junit_xml.TestSuite(task["precheck_id"], cases)


def bare_json(folder: Path) -> None:
    """Parse the files, and nothing else."""
    for path in sorted(folder.glob("*.json")):
        json.loads(path.read_bytes())


def bare_one_by_one(folder: Path) -> None:
    """Parse the files, and write suites of junit-xml one by one."""
    from xml.etree import ElementTree as ET

    with (folder / "bare.xml").open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')
        for suite in suites(folder):
            out.write(ET.tostring(suite.build_xml_doc(), encoding="unicode"))
        out.write("</testsuites>\n")


def bare_at_once(folder: Path) -> None:
    """Parse the files, and let junit-xml write all suites at once."""
    import junit_xml

    with (folder / "bare.xml").open("w", encoding="utf-8") as out:
        junit_xml.to_xml_report_file(out, list(suites(folder)), prettyprint=False)


PARTS: dict[str, Callable[[Path], None]] = {
    "json.loads": bare_json,
    "json.loads + junit-xml, one by one": bare_one_by_one,
    "json.loads + junit-xml, at once": bare_at_once,
}
YARDSTICK = "json.loads + junit-xml, one by one"


def commands(folder: Path) -> dict[str, list[str]]:
    """Return what to run, by the name in the table."""
    files = [path.name for path in sorted(folder.glob("*.json"))]
    evaluate = [sys.executable, "-m", "precheck_gate", "evaluate", *files]
    parts = {name: [sys.executable, __file__, "--part", name, str(folder)] for name in PARTS}
    return {
        **parts,
        "evaluate": evaluate,
        "evaluate --junit": [*evaluate, "--junit", "junit.xml"],
        "evaluate --junit --report json": [
            *(*evaluate, "--junit", "junit.xml", "--report", "json=report.txt"),
        ],
    }


def measure(command: list[str], folder: Path) -> Taken:
    """Run a command to its end; return what it took."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        # Not process.wait(): only wait4 tells what this one process used. On Linux its peak counts
        # from that of this process on, which therefore holds nothing large.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode not in (0, 1):  # 1: blocked, as it must be with a failure in a tenth
        sys.exit(f"{command[:4]} ended with {process.returncode}")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Taken(seconds, usage.ru_maxrss / unit)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--per-file", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        name, folder = options.part
        PARTS[name](Path(folder))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_answers(folder, options.tasks, options.items, options.per_file)
        size = sum(path.stat().st_size for path in files) / 1024 / 1024
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores; {options.tasks} tasks of "
            f"{options.items} items in {len(files)} files, {size:.0f} MiB; "
            f"{options.rounds} rounds, medians\n"
        )
        table = commands(folder)
        rounds = [
            {what: measure(command, folder) for what, command in table.items()}
            for _ in range(options.rounds)
        ]
    print(f"{'what':36} {'s':>7} {'ratio':>7} {'MiB':>7}")
    for what in table:
        middle = statistics.median(one[what].seconds for one in rounds)
        ratio = statistics.median(one[what].seconds / one[YARDSTICK].seconds for one in rounds)
        mib = max(one[what].mib for one in rounds)
        mark = "  over the limit!" if what.startswith("evaluate") and mib > LIMIT_MIB else ""
        print(f"{what:36} {middle:7.2f} {ratio:7.2f} {mib:7.1f}{mark}")


if __name__ == "__main__":
    main()
