"""Saves the answers of a run as they come, for audit, and at its end what the run concluded."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import NotAnAnswer, reason_of
from precheck_gate.model.json_values import from_json, to_json
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.safetext.secrets import hide_secrets
from precheck_gate.saved.run_file import (
    RUN_FILE,
    VERSION,
    Began,
    Concluded,
    Ended,
    SavedBody,
    spell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from precheck_gate.runtime.process import Clock
    from precheck_gate.saved.run_file import Line


class AnswerArchive:
    """Writes every answer to a folder as it comes. The first failure ends it and is remembered.

    Attributes:
        failure: why nothing can be saved any more; "" while all is well.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.failure = ""
        self._number = 0
        self._run = os.urandom(8).hex()
        self._digest = hashlib.sha256()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            numbers = [path.name.partition(".")[0] for path in folder.iterdir()]
            self._number = max((int(name) for name in numbers if name.isdecimal()), default=0)
        except OSError as error:
            self.failure = reason_of(error)

    def begin(self, task_ids: Sequence[str]) -> None:
        """Note that a run begins for these tasks. Until `end`, none of them is green."""
        self._note(Began(self._run, VERSION, self._now(), tuple(task_ids)))

    def save(
        self,
        task_ids: Sequence[str],
        status: int,
        body: bytes,
        request_id: str,
        started: Mapping[str, str] | None = None,
    ) -> None:
        """Write the body of one answer and a line about it, both without secrets.

        ``started`` are the tasks whose pre-checks the run started, by the IDs of those pre-checks.
        """
        if self.failure:
            return
        self._number += 1
        suffix = "json" if status == 200 else f"http-{status}.txt"
        name = f"{self._number:04d}.{suffix}"
        asked = frozenset(task_ids)
        own = {one: task for one, task in (started or {}).items() if task in asked}
        hidden = {hide_secrets(one): task for one, task in own.items()}
        content = _body_without_secrets(body, own, hidden, judged=status == 200)
        try:
            # Never over the answer of another run, to which its lines may refer.
            with (self._folder / name).open("xb") as file:
                file.write(content)
        except FileExistsError:
            self.failure = (
                f"another run saved {name} at the same time; give each run its own folder"
            )
            return
        except OSError as error:
            self.failure = reason_of(error)
            return
        self._note(
            SavedBody(
                run=self._run,
                file=name,
                at=self._now(),
                tasks=tuple(task_ids),
                http_status=status,
                sha256=hashlib.sha256(content).hexdigest(),
                request_id=hide_secrets(request_id),
                started=hidden,
            )
        )

    def end(
        self,
        observations: Sequence[Observation],
        troubles: Sequence[Trouble],
        remarks: Sequence[str] = (),
    ) -> None:
        """Write what the run concluded about each task and about itself."""
        for observation in observations:
            self._note(Concluded(self._run, _without_secrets(observation)))
        hidden = tuple(_trouble_without_secrets(trouble) for trouble in troubles)
        ended = Ended(self._run, self._now(), hidden, tuple(map(hide_secrets, remarks)))
        self._note(ended.sealed(self._digest))

    def _note(self, line: Line) -> None:
        if self.failure:
            return
        text = spell(line).encode()
        self._digest.update(text)
        try:
            with (self._folder / RUN_FILE).open("ab") as file:
                file.write(text)
        except OSError as error:
            self.failure = reason_of(error)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


# What is saved contains no secret, and is judged as it was with it

_NOT_SAVED = Trouble(
    TroubleKind.NOT_ANSWERED,
    "the answer repeats a credential in a field that the verdict depends on, so it was not saved",
    hint="Run the gate again with another credential to save its answers.",
)


def _without_secrets(observation: Observation) -> Observation:
    # The age of what was never seen is no number that JSON has.
    known = observation if observation.snapshot else replace(observation, age=None)
    value = to_json(known)
    text = json.dumps(value)
    if hide_secrets(text) == text:
        return known
    try:
        hidden = from_json(Observation, _hidden(value))
    except ValueError:  # a word of ours was hidden
        return Observation(observation.task_id, None, _NOT_SAVED)
    if _judged(hidden) != _judged(known):
        return Observation(observation.task_id, None, _NOT_SAVED)
    return hidden


def _trouble_without_secrets(trouble: Trouble) -> Trouble:
    message, code, hint = map(hide_secrets, (trouble.message, trouble.code, trouble.hint))
    return Trouble(trouble.kind, message, code, hint)


def _judged(value: Any) -> Any:
    """Return what the verdict depends on: all but the texts that are only shown."""
    match value:
        case Observation():
            return value.task_id, _judged(value.snapshot), _judged(value.trouble)
        case Snapshot():
            items = tuple(replace(item, data="", raw_error="") for item in value.items)
            return replace(value, items=items, instance_id="")
        case Trouble():
            return value.kind
    return value


_NOTE = (
    "The answer repeats a credential in a field that the verdict depends on, or in a form that "
    "cannot be hidden there. It is kept as text and cannot be judged again."
)


def _body_without_secrets(
    body: bytes, started: Mapping[str, str], hidden: Mapping[str, str], *, judged: bool
) -> bytes:
    """Return the body of an answer without secrets.

    A body without any keeps every byte. In another, secrets are hidden in the values and, where
    nothing is read from them, in the keys. If it would then be judged in another way, it is kept
    as a text inside of JSON that is no answer.

    ``started`` are the IDs of pre-checks under which it may name tasks; ``hidden`` are the same
    without secrets.
    """
    text = body.decode("utf-8", "surrogateescape")
    masked = hide_secrets(text)
    if masked == text and started == hidden:
        return body
    meant = _judged_of(body, started) if judged else None
    for candidate in _candidates(body, masked):
        if not judged or _judged_of(candidate, hidden) == meant:
            return candidate
    return _bytes(json.dumps({"note": _NOTE, "answer": masked}, ensure_ascii=False))


def _judged_of(body: bytes, started: Mapping[str, str]) -> Any:
    try:
        entries = parse_answer(body, started).entries
    except NotAnAnswer as error:
        return type(error)
    return {task: _judged(entry) for task, entry in entries.items()}


def _candidates(body: bytes, masked: str) -> Iterator[bytes]:
    try:
        document = strict_json.loads(body)
    except ValueError:
        yield masked.encode("utf-8", "surrogateescape")
        return
    for keys in (True, False):
        yield _bytes(strict_json.compact(_hidden(document, keys=keys)))


def _bytes(spelt: str) -> bytes:
    # Half of a character has no bytes; its escape is that of JSON.
    return spelt.encode("utf-8", "backslashreplace")


def _hidden(value: Any, *, keys: bool = False) -> Any:
    match value:
        case str():
            return hide_secrets(value)
        case dict():
            return {
                hide_secrets(key) if keys else key: _hidden(inner, keys=keys)
                for key, inner in value.items()
            }
        case list():
            return [_hidden(one, keys=keys) for one in value]
    return value
