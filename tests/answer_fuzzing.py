"""Mangles answers of the service and judges each: no mangled answer is green unless it may be.

`make fuzz` runs it as a program: ``python -m tests.answer_fuzzing NUMBER SEED``.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import NotAnAnswer
from precheck_gate.judgement.second_key import SecondKey
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.snapshots import Observation, Snapshot
from tests.support.harness import (
    DEFAULT,
    OTHER,
    TASK,
    bench_of,
    entry,
    item,
    judge,
)
from tests.support.oracle import ERROR_KEYS, oracle
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from precheck_gate.model.verdicts import RunVerdict

ANSWERS = ROOT / "precheck_gate" / "simulator" / "answers"

# What the service could send in the place of anything else.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 99, 100, 100.0, 101, -1, 1e2, 10**30, 0.1),
    *("", " ", "100%", "100 %", "100.0%", "99%", "101%", "1e2%", "١٠٠%", "100%\x00", "NaN"),
    *("true", "false", "True", "PASSED", "passed", " PASSED", "ALARM", "FAILED", "UNKNOWN"),
    *(TASK, OTHER, TASK.upper(), f" {TASK}", "DRS.M00289", "gone", [], {}, [[]], [{}], [None]),
    *({"code": "X.1", "message": "gone"}, [item()], [item(result="FAILED")], [entry(result=False)]),
)
KEYS = (
    *("results", "count", "precheck_id", "id", "job_id", "process", "result", "precheck_result"),
    *("precheck_results", "item", "group", "data", "failed_reason", "raw_error_msg", "is_skipped"),
    *("is_support_skip", "failed_sub_jobs", "check_result", "name", "code", "message", "errors"),
    *("job_direction", "total_passed_rate", "rds_instance_id", "status", *ERROR_KEYS),
)


@dataclass
class Tally:
    """What came of so many mangled answers; ``wrong`` holds those that must not be as they are."""

    judged: int = 0
    refused: int = 0
    green: int = 0
    wrong: list[str] | None = None


def fuzz(number: int, seed: int) -> Tally:
    """Judge so many mangled answers; the same seed gives the same answers."""
    chance = random.Random(seed)
    tally = Tally(wrong=[])
    assert tally.wrong is not None
    starts = list(_whole_answers())
    for _ in range(number):
        document = copy.deepcopy(chance.choice(starts))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            document = _mangle(document, chance)
        content = json.dumps(document).encode()
        if chance.random() < 0.1:
            content = _mangle_bytes(bytearray(content), chance)
        requested = chance.choice(([TASK], [TASK], [OTHER], [TASK, OTHER]))
        problem = _judged(content, requested, tally)
        if problem:
            tally.wrong.append(f"{problem}: {requested} {content!r}")
    return tally


def _judged(content: bytes, requested: list[str], tally: Tally) -> str:
    tally.judged += 1
    try:
        judged = judge(content, requested)
    except NotAnAnswer:
        tally.refused += 1
        return ""
    if judged.code not in (0, 1, 3, 4):
        return f"ends in {judged.code}"
    if judged.code != 0:
        return ""
    tally.green += 1
    if not oracle(json.loads(content), requested):
        return "green, but the oracle does not agree"
    return _second_key(content, requested, judged.run)


def _second_key(content: bytes, requested: list[str], run: RunVerdict) -> str:
    key = SecondKey(requested, DEFAULT, None)
    entries = parse_answer(content).entries
    for task in requested:
        snapshot = entries.get(task)
        seen = Observation(task, snapshot if isinstance(snapshot, Snapshot) else None)
        key.see(seen, judge_task(seen, bench_of()).findings)
    return "; ".join(key.objections(run, 0, advisory=False))


def _whole_answers() -> Iterator[Any]:
    yield {"results": [entry()], "count": 1}
    yield {"results": [entry(), entry(OTHER)], "count": 2}
    several = [item(), item("srcDbBinlogIsOff", "ALARM", group="db_params", failed_reason="X")]
    yield {"results": [entry(items=several, job_direction="up", total_passed_rate="100%")]}
    subs = [{"id": "s", "name": "n", "check_result": "PASSED"}]
    skipped = item("srcGtidStatusCheck", "ALARM", is_skipped=True, is_support_skip=True)
    yield {"results": [entry(items=[item(failed_sub_jobs=subs), skipped]), entry(OTHER)]}
    for name in ("mysql", "dds"):
        document = json.loads((ANSWERS / f"{name}.json").read_bytes())
        for one in document["results"]:
            one["precheck_id"] = TASK
            one["precheck_result"] = one["precheck_result"][:4]
        document["results"] = document["results"][:1]
        yield document


def _places(value: Any, above: tuple[Any, Any] | None = None) -> Iterator[tuple[Any, Any]]:
    """Yield (holder, key) of every value in a document."""
    if above is not None:
        yield above
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from _places(value[key], (value, key))


def _mangle(document: Any, chance: random.Random) -> Any:
    places = list(_places(document))
    if not places:
        return chance.choice(VALUES)
    holder, key = chance.choice(places)
    chance.choice(_CHANGES)(holder, key, chance)
    return document if chance.random() > 0.005 else [document]


def _replace(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = copy.deepcopy(chance.choice(VALUES))


def _remove(holder: Any, key: Any, chance: random.Random) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice((*KEYS, str(key).upper(), f"{key} "))] = holder.pop(key)


def _add(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder.setdefault(chance.choice(KEYS), copy.deepcopy(chance.choice(VALUES)))
    else:
        holder.insert(key, copy.deepcopy(chance.choice(VALUES)))


def _repeat(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))


def _wrap(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = chance.choice(([holder[key]], {"error": holder[key]}, str(holder[key])))


_CHANGES: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    *(_replace, _replace, _remove, _rename, _add, _add, _repeat, _wrap),
)


def _mangle_bytes(content: bytearray, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    match chance.randrange(4):
        case 0:
            del content[at:]
        case 1:
            del content[at : at + chance.randrange(1, 20)]
        case 2:
            content[at] = chance.randrange(256)
        case _:
            content[at:at] = content[at : at + chance.randrange(1, 40)]
    return bytes(content)


def main(arguments: list[str]) -> int:
    """Fuzz as the command line says, and print what came of it."""
    number, seed = (int(text) for text in (*arguments, "20000", "1")[:2])
    tally = fuzz(number, seed)
    wrong = tally.wrong or []
    for problem in wrong[:20]:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(
        f"{tally.judged} mangled answers, seed {seed}: "
        f"{tally.refused} refused, {tally.green} green, {len(wrong)} wrong\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
