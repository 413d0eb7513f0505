"""Compare globs without a text at hand: whether one covers another. Pure.

A pattern also matches its own text literally (`Patterns`), so every answer covers both. The answers
are safe, not complete: True of `covers` and False of `may_meet` are certain, the others are not.
"""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from precheck_gate.policy.model import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterable

_STAR = "*"
_ANY = "?"
_TASK_ID = "-".join("x" * length for length in (8, 4, 4, 4, 12))
_TASK_ID_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_glob(pattern: str) -> bool:
    """Return whether a pattern has a wildcard."""
    return any(mark in pattern for mark in "*?[")


def covers_all(patterns: Patterns | None) -> bool:
    """Return whether every text matches, the empty one too; None matches every text."""
    return patterns is None or any(not one.strip(_STAR) for one in patterns.texts)


def covers(wide: Patterns | None, narrow: Patterns | None) -> bool:
    """Return whether ``wide`` matches all that ``narrow`` does."""
    if wide is None or covers_all(wide):
        return True
    if narrow is None:
        return False
    return all(any(_covers(one, pattern) for one in wide.texts) for pattern in narrow.texts)


def _covers(wide: str, narrow: str) -> bool:
    if wide == narrow:
        return True
    if not Patterns([wide]).match(narrow):
        return False
    return not is_glob(narrow) or _swallows(_signs(wide), _signs(narrow))


def _swallows(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Return whether the signs of ``wide`` can take those of ``narrow``, in order."""
    reached = {0}
    for sign in (*narrow, None):
        for start in sorted(reached):  # a star may also take nothing
            at = start
            while at < len(wide) and wide[at] == _STAR:
                at += 1
                reached.add(at)
        if sign is None:
            break
        reached = {
            at if wide[at] == _STAR else at + 1
            for at in reached
            if at < len(wide) and _takes(wide[at], sign)
        }
    return len(wide) in reached


def _takes(wide: str, sign: str) -> bool:
    if wide in (_STAR, sign):
        return True
    if sign == _STAR:
        return False
    if wide == _ANY:
        return True
    return len(sign) == 1 and sign != _ANY and _compiled(wide).match(sign) is not None


def may_meet(one: Patterns | None, other: Patterns | None) -> bool:
    """Return whether some text may match both; False is certain."""
    if one is None or other is None:
        return True
    return any(_may_meet(left, right) for left in one.texts for right in other.texts)


def _may_meet(one: str, other: str) -> bool:
    if is_glob(one) and is_glob(other):
        return True
    return Patterns([one]).match(other) or Patterns([other]).match(one)


def can_be_task_id(pattern: str) -> bool:
    """Return whether the pattern matches some text in the form of a task ID."""
    signs = _signs(pattern)
    end = len(_TASK_ID)
    reached = {0}
    for sign in signs:
        if sign == _STAR:
            reached = set(range(min(reached), end + 1)) if reached else reached
        else:
            reached = {at + 1 for at in reached if at < end and _fits(sign, _TASK_ID[at])}
    return end in reached


def _fits(sign: str, place: str) -> bool:
    texts = _TASK_ID_SIGNS if place == "x" else place
    return sign == _ANY or any(_compiled(sign).match(text) for text in texts)


def respell(pattern: str, taken: Iterable[str]) -> str | None:
    """Return another spelling of a glob that is not ``taken`` and matches the same texts.

    It also matches its own spelling, which names nothing. None if no other spelling is known: a
    pattern of only brackets and signs with a special meaning in them.
    """
    used = set(taken)
    signs = _signs(pattern)
    for at, sign in enumerate(signs):
        for times in range(1, len(used) + 2):
            made = _respelled(sign, times)
            if made is None:
                break
            spelling = "".join([*map(_spell, signs[:at]), made, *map(_spell, signs[at + 1 :])])
            if spelling not in used:
                return spelling
    return None


def _respelled(sign: str, times: int) -> str | None:
    if sign == _STAR:
        return _STAR * (times + 1)
    if sign == _ANY:
        return f"[\0-\U0010ffff{'a' * (times - 1)}]"
    if len(sign) == 1:
        return None if sign in "[]!^\\" else f"[{sign * times}]"
    at = 2 if sign[1] == "!" else 1
    # An empty range such as [b-a] would gain a letter.
    if not sign[at].isalnum() or (sign[at + 1] == "-" and sign[at] > sign[at + 2]):
        return None
    return sign[:at] + sign[at] * times + sign[at:]


def _spell(sign: str) -> str:
    return "[[]" if sign == "[" else sign


@lru_cache(maxsize=4096)
def _compiled(sign: str) -> re.Pattern[str]:
    """Return the regular expression of a literal or a class, as fnmatch reads it."""
    return re.compile(fnmatch.translate(_spell(sign)))


@lru_cache(maxsize=4096)
def _signs(pattern: str) -> tuple[str, ...]:
    """Split a glob as fnmatch reads it into ``*``, ``?``, classes and characters."""
    signs: list[str] = []
    at = 0
    while at < len(pattern):
        end = at + 1
        if pattern[at] == "[":
            # A bracket that never closes is a literal.
            skip = at + 2 if pattern[at + 1 : at + 2] == "!" else at + 1
            close = pattern.find("]", skip + 1)
            end = close + 1 if close >= 0 else end
        sign = pattern[at:end]
        if sign != _STAR or not signs or signs[-1] != _STAR:
            signs.append(sign)
        at = end
    return tuple(signs)
