"""Makes the pictures of the README from a real run on the simulator, so that they stay true."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
WIDTH = 108


def main() -> None:
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


if __name__ == "__main__":
    main()
