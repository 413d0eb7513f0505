"""Where a merge request shows a finding: the line of the policy that decided, as a path in it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

NO_POLICY = "precheck-policy.yaml"
"""The location of findings that no file of the user decided: the usual name of such a file."""

_FILE_AND_LINE = re.compile(r"(?P<file>.+?):(?P<line>[1-9][0-9]{0,8})(?: |$)", re.DOTALL)
_PROFILE = re.compile(r" \(profile .*\)$", re.DOTALL)


class Location(NamedTuple):
    """A path from the root of the repository, with forward slashes, and a line from 1."""

    path: str
    line: int


def file_and_line(decided_by: str) -> tuple[str, int] | None:
    """Return file and line of a `Finding.decided_by`, or None for a rule of the gate itself.

    The file is as the user named it, or ``builtin:`` and the name of a preset.
    """
    found = None if decided_by.startswith("gate: ") else _FILE_AND_LINE.match(decided_by)
    return None if found is None else (found["file"], int(found["line"]))


class Locator:
    """Turns a `Finding.decided_by` into a location in the repository that the gate runs in.

    What no file of the user decided is located at the first line of the user's policy, or of
    `NO_POLICY` if there is no policy inside the repository.

    Args:
        policy: the policy's name, as in `RunFacts.policy`.
        folder: what relative paths start from; None for the working directory.
    """

    def __init__(self, policy: str, folder: Path | None = None) -> None:
        self._folder = Path.cwd() if folder is None else folder
        self._root = _root_of(self._folder)
        self._paths: dict[str, str | None] = {}
        self._fallback = Location(self.path(_PROFILE.sub("", policy)) or NO_POLICY, 1)

    def locate(self, decided_by: str) -> Location:
        """Return the location that a `Finding.decided_by` names, or else the fallback."""
        found = file_and_line(decided_by)
        path = None if found is None else self.path(found[0])
        return self._fallback if found is None or path is None else Location(path, found[1])

    def path(self, file: str) -> str | None:
        """Return a file's path from the root; None for a preset, and for one outside of it."""
        if file not in self._paths:
            self._paths[file] = self._relative(file)
        return self._paths[file]

    def _relative(self, file: str) -> str | None:
        if not file or file.startswith("builtin:"):
            return None
        named = Path(os.path.normpath(self._folder / file))
        # As it was named first: a link keeps its own name. Then as it lies on the disk.
        for path, root in (
            (named, self._root),
            (Path(os.path.realpath(named)), Path(os.path.realpath(self._root))),
        ):
            if path != root and path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return None


def _root_of(folder: Path) -> Path:
    """Return the root of the repository around a folder; outside of one, the folder itself."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
