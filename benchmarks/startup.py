"""How long the program takes to start, in units of `python -c 'import click'`.

Every round runs each command once, one after the other, so that whatever else the machine does
falls on all of them alike; the ratios are medians of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("precheck-gate")
YARDSTICK = "python -c 'import click'"
COMMANDS: dict[str, list[str]] = {
    YARDSTICK: [sys.executable, "-c", "import click"],
    "python -c pass": [sys.executable, "-c", "pass"],
    "precheck-gate --version": [str(SCRIPT), "--version"],
    "precheck-gate --help": [str(SCRIPT), "--help"],
    "precheck-gate run --help": [str(SCRIPT), "run", "--help"],
    "python -c 'import requests'": [sys.executable, "-c", "import requests"],
}


def seconds(command: list[str]) -> float:
    """Run a command, and return how long it took."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    if not SCRIPT.exists():
        sys.exit(f"{SCRIPT} is not there: install the package into this environment first")
    for command in COMMANDS.values():
        seconds(command)  # the first time reads files from the disk, and compiles them
    taken = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(rounds)]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {rounds} rounds, medians\n")
    print(f"{'command':30} {'ms':>7} {'ratio':>7}")
    for name in COMMANDS:
        middle = statistics.median(one[name] for one in taken)
        ratio = statistics.median(one[name] / one[YARDSTICK] for one in taken)
        print(f"{name:30} {middle * 1000:7.1f} {ratio:7.2f}")


if __name__ == "__main__":
    main()
