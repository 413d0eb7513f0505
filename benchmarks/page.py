"""How long the HTML report of 500 tasks of 40 items takes to open, against an empty page.

Needs the extra `dev` and a Chromium: named in CHROMIUM, or found as `chromium` on the path.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TAIL = "-88ad-43c8-811c-1268453jb101"
ROUNDS = 5


def write_page(folder: Path) -> Path:
    """Judge made answers, and return the page about them."""
    import json

    from precheck_gate.simulator.scenario import documented_answer

    results: list[dict[str, Any]] = []
    for number in range(500):
        entry = documented_answer("mysql")
        entry["precheck_id"] = f"{number:08d}{TAIL[:-12]}{number:07d}jb101"
        entry["precheck_result"][number % 39]["result"] = "ALARM"
        results.append(entry)
    answer = folder / "answer.json"
    answer.write_text(json.dumps({"results": results, "count": len(results)}))
    page = folder / "report.html"
    command = [sys.executable, "-m", "precheck_gate", "evaluate", str(answer), "-q"]
    done = subprocess.run([*command, "--report", f"html={page}"], capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    return page


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("no Chromium: nothing was measured")
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        empty = folder / "empty.html"
        empty.write_text("<!doctype html><title>empty</title>")
        pages = {"an empty page": empty, "500 tasks of 40 items": write_page(folder)}
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        times: dict[str, list[float]] = {what: [] for what in pages}
        for _ in range(ROUNDS):
            for what, path in pages.items():
                tab = browser.new_page()
                begin = time.perf_counter()
                tab.goto(path.as_uri())
                tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
                times[what].append(time.perf_counter() - begin)
                tab.close()
        browser.close()
    base = statistics.median(times["an empty page"])
    print(f"{'page':<24}{'ms':>8}{'ratio':>8}")
    for what, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{what:<24}{median * 1000:>8.0f}{median / base:>8.1f}")


if __name__ == "__main__":
    main()
