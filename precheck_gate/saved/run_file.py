"""The lines of an index of saved answers, one JSON object each: how they are spelled and read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import UsageError, unreadable
from precheck_gate.model.snapshots import Trouble, TroubleKind
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "INDEX",
    "Began",
    "Conclusion",
    "Ended",
    "Exchange",
    "Line",
    "is_archived",
    "read_index",
    "spell",
]

INDEX = "index.jsonl"
MAX_BYTES = 512 * 1024 * 1024
_ARCHIVED = re.compile(r"[0-9]{4,}\.(json|http-[0-9]+\.txt)")


def is_archived(name: str) -> bool:
    """Return whether a file is called so that is saved in a folder of answers."""
    return name == INDEX or _ARCHIVED.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Began:
    """A run began: when, and for which tasks."""

    at: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The service answered: when, for which tasks, and where the body is.

    ``started`` are the tasks whose pre-checks the run had started, by the IDs of those pre-checks,
    under which the answer may hold their results.
    """

    at: str
    file: str
    status: int
    sha256: str
    tasks: tuple[str, ...]
    request_id: str = ""
    started: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a run made of a task: the file of the answer that counts, "" for none, and a trouble."""

    file: str
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A run came to its end: what it made of each task, and what went wrong with itself."""

    at: str
    conclusions: Mapping[str, Conclusion]
    troubles: tuple[Trouble, ...] = ()

    @property
    def tasks(self) -> Sequence[str]:
        """The tasks of the run."""
        return tuple(self.conclusions)


Line = Began | Exchange | Ended


def spell(line: Line) -> str:
    """Return a line as it stands in an index."""
    match line:
        case Began(at, tasks):
            value: dict[str, Any] = {"kind": "began", "at": at, "tasks": list(tasks)}
        case Exchange():
            value = {
                "kind": "answer",
                "file": line.file,
                "at": line.at,
                "tasks": list(line.tasks),
                "http_status": line.status,
                "request_id": line.request_id,
                "sha256": line.sha256,
            }
            if line.started:
                value["started"] = dict(line.started)
        case Ended(at, conclusions, troubles):
            value = {
                "kind": "ended",
                "at": at,
                "tasks": {
                    task: {"file": one.file, "trouble": _of_trouble(one.trouble)}
                    for task, one in conclusions.items()
                },
                "troubles": [_of_trouble(trouble) for trouble in troubles],
            }
    return json.dumps(value) + "\n"


def _of_trouble(trouble: Trouble | None) -> dict[str, str] | None:
    if trouble is None:
        return None
    texts = {name: hide_secrets(getattr(trouble, name)) for name in ("message", "code", "hint")}
    return {"kind": trouble.kind.value, **texts}


def read_index(folder: Path) -> list[Line]:
    """Return the lines of a folder's index; none where there is no index.

    Raises:
        UsageError: it cannot be read, or is no such index.
    """
    try:
        content = read_file(folder / INDEX, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        # What is in it is not known, and it may speak against the answers beside it.
        raise unreadable("The index", folder / INDEX, error) from None
    files: set[str] = set()
    return [
        _read(folder, line, number, files)
        for number, line in enumerate(content.splitlines(), start=1)
    ]


def _read(folder: Path, text: bytes, number: int, files: set[str]) -> Line:
    try:
        line = _line(strict_json.loads(text))
        if isinstance(line, Exchange) and line.status == 200:
            files.add(line.file)
        if isinstance(line, Ended) and any(
            one.file and one.file not in files for one in line.conclusions.values()
        ):
            raise ValueError("a conclusion without its answer")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{folder / INDEX}, line {number}, is not the index of saved answers.",
            hint="Give the files themselves from a folder without an index.",
        ) from None
    return line


def _line(value: dict[str, Any]) -> Line:
    at = str(value["at"])
    match value.get("kind", "answer"):
        case "began":
            return Began(at, tuple(map(str, value["tasks"])))
        case "answer":
            name = str(value["file"])
            if Path(name).name != name:
                raise ValueError("a file outside of the folder")
            return Exchange(
                at,
                name,
                int(value["http_status"]),
                str(value["sha256"]),
                tuple(map(str, value["tasks"])),
                str(value.get("request_id", "")),
                {str(one): str(task) for one, task in value.get("started", {}).items()},
            )
        case "ended":
            conclusions = {
                task: Conclusion(str(one["file"]), _trouble(one["trouble"]))
                for task, one in value["tasks"].items()
            }
            troubles = [_trouble(trouble) for trouble in value["troubles"]]
            return Ended(at, conclusions, tuple(one for one in troubles if one is not None))
        case _:
            raise ValueError("another kind of line")


def _trouble(value: dict[str, Any] | None) -> Trouble | None:
    if value is None:
        return None
    return Trouble(
        TroubleKind(value["kind"]),
        str(value["message"]),
        code=str(value["code"]),
        hint=str(value["hint"]),
    )
