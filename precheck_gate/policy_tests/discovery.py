"""Which files of a folder hold test cases of policies: their names tell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["find_case_files", "holds_cases"]

_ENDINGS = (".yaml", ".yml", ".json")


def holds_cases(name: str) -> bool:
    """Return whether a file of this name holds cases.

    These do: ``test_*``, ``*_test`` and ``*.test``, each with ``.yaml``, ``.yml`` or ``.json``.
    """
    stem, ending = os.path.splitext(name)  # noqa: PTH122  # a name, no path
    if ending not in _ENDINGS or name.startswith("."):
        return False
    return stem.startswith("test_") or stem.endswith(("_test", ".test"))


def find_case_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files with cases: a file that is named is one, a folder is searched for them.

    Raises:
        UsageError: a path does not exist, or there is not one such file in a folder.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise UsageError(f"There is no {path}.", hint="Check the path.")
            found[path] = None
            continue
        inside = sorted(_walk(path))
        if not inside:
            raise UsageError(
                f"The folder {path} holds no policy tests.",
                hint="They are called test_*.yaml, *_test.yaml or *.test.yaml (or .yml, .json).",
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files with cases below ``folder``; hidden folders and links to folders are not."""
    for name, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".")]
        yield from (Path(name, file) for file in files if holds_cases(file))
