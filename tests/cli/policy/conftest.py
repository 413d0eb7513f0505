"""Every test works in an empty folder, without variables of the program's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("PRECHECK_GATE_") or name in ("FORCE_COLOR", "NO_COLOR"):
            monkeypatch.delenv(name)
