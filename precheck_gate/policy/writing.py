"""Write an effective policy as YAML or JSON in the format of policies. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from precheck_gate.errors import UsageError
from precheck_gate.model.snapshots import Status
from precheck_gate.policy.globs import may_meet, respell
from precheck_gate.policy.model import Layer, Patterns, stack
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from precheck_gate.policy.model import (
        Decision,
        Match,
        NeverWaive,
        Origin,
        Placed,
        Policy,
        Required,
        Rule,
        Waiver,
    )

_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9][A-Za-z0-9_./@+-]*)*|\d{4}-\d{2}-\d{2}"
)
# Words that other YAML readers do not take for text.
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class _Noted:
    """A value of the document, with its origin."""

    value: Any
    origin: Origin


def as_document(policy: Policy) -> dict[str, Any]:
    """Return the document that loads as this policy, for `to_yaml` and `to_json`.

    Raises:
        UsageError: two layers of ``tasks:`` have the same key, and it has no second spelling.
    """
    return _filled(
        {
            "version": 1,
            **_layer(policy),
            "waivers": list(map(_waiver, policy.waivers)),
            "never_waive": _never_waive(policy.never_waive),
            "max_waiver_days": _placed(policy.max_waiver_days),
            "baseline": _filled({"known_warnings": _placed(policy.known_warnings)}),
            "tasks": {key: _layer(one) for key, one in _task_layers(policy)},
        }
    )


def _filled(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if value not in (None, {}, [])}


def _layer(layer: Layer) -> dict[str, Any]:
    return _filled(
        {
            "statuses": {
                status.value: _effect(layer.statuses[status])
                for status in Status
                if status in layer.statuses
            },
            "skipped": layer.skipped and _effect(layer.skipped),
            "rules": list(map(_rule, layer.rules)),
            "required_items": list(_required(layer.required)),
            "limits": _filled(
                {
                    part.name: _placed(getattr(layer.limits, part.name))
                    for part in fields(layer.limits)
                }
            ),
            "allow_empty": _placed(layer.allow_empty),
        }
    )


def _effect(decision: Decision) -> _Noted:
    return _Noted(decision.effect.value, decision.origin)


def _rule(rule: Rule) -> _Noted:
    decision = rule.decision
    value = {"match": _match(rule.match), "effect": decision.effect.value}
    if decision.reason:
        value["reason"] = decision.reason
    return _Noted(value, decision.origin)


def _match(match: Match) -> dict[str, Any]:
    statuses = [status.value for status in Status if status in (match.status or ())]
    return _filled(
        {
            "item": _patterns(match.item),
            "group": _patterns(match.group),
            "status": statuses[0] if len(statuses) == 1 else statuses,
            "failed_reason": _patterns(match.failed_reason),
            "task": _patterns(match.task),
            "direction": _patterns(match.direction),
            "sub_task": _patterns(match.sub_task),
        }
    )


def _patterns(patterns: Patterns | None) -> str | list[str] | None:
    if patterns is None:
        return None
    return patterns.texts[0] if len(patterns.texts) == 1 else list(patterns.texts)


def _required(required: Sequence[Required]) -> Iterator[_Noted]:
    # Two layers may require the same item, but one list may not. The first decides.
    first: dict[tuple[Any, ...], Required] = {}
    for one in required:
        first.setdefault((one.item, one.task, one.direction), one)
    for one in first.values():
        task, direction = _patterns(one.task), _patterns(one.direction)
        whole = _filled({"item": one.item, "task": task, "direction": direction})
        yield _Noted(one.item if len(whole) == 1 else whole, one.origin)


def _waiver(waiver: Waiver) -> _Noted:
    value = {
        "id": waiver.id,
        "match": _match(waiver.match),
        "reason": waiver.reason,
        "owner": waiver.owner,
        "since": waiver.since and waiver.since.isoformat(),
        "expires": waiver.expires.isoformat(),
        "ticket": waiver.ticket or None,
    }
    return _Noted(_filled(value), waiver.origin)


def _never_waive(never_waive: Iterable[NeverWaive]) -> dict[str, Any]:
    found: dict[str, Any] = {"items": [], "groups": []}
    for one in never_waive:
        for key, patterns in (("items", one.items), ("groups", one.groups)):
            found[key] += [_Noted(text, one.origin) for text in patterns.texts] if patterns else []
    return _filled(found)


def _placed(placed: Placed[Any] | None) -> _Noted | None:
    return None if placed is None else _Noted(placed.value, placed.origin)


def _task_layers(policy: Policy) -> list[tuple[str, Layer]]:
    """Return the layers of ``tasks:`` under unique keys, with the same meaning together.

    Several files may have the same key. Their layers become one if no layer between them is for a
    task of theirs; otherwise the second key is spelled in another way.
    """
    made: list[tuple[str, str, Layer]] = []
    for patterns, layer in policy.tasks:
        if layer == Layer():
            continue
        [key] = patterns.texts
        same = max((at for at, (one, _, _) in enumerate(made) if one == key), default=None)
        spelling: str | None = key
        if same is not None:
            if not any(may_meet(patterns, Patterns([one])) for one, _, _ in made[same + 1 :]):
                made[same] = (key, made[same][1], stack([made[same][2], layer]))
                continue
            spelling = respell(key, [spelled for _, spelled, _ in made])
            if spelling is None:
                raise UsageError(
                    f"The layers for {key!r} under tasks: cannot be shown in one policy.",
                    hint="Put them in one file, or spell the two keys differently.",
                )
        made.append((key, spelling or key, layer))
    return [(spelling, layer) for _, spelling, layer in made]


def to_yaml(document: Mapping[str, Any]) -> list[str]:
    """Return the lines of a document as YAML, with the origin of each value as a comment."""
    lines: list[str] = []
    for key, value in document.items():
        inner, note = _open(value)
        spelled = _scalar(key)
        if isinstance(inner, dict):
            lines += [f"{spelled}:{note}", *(f"  {line}" for line in to_yaml(inner))]
        elif isinstance(inner, list) and any(isinstance(one, _Noted) for one in inner):
            lines += [f"{spelled}:{note}", *(f"  {line}" for line in _sequence(inner))]
        elif isinstance(inner, list):
            lines.append(f"{spelled}: [{', '.join(map(_scalar, inner))}]{note}")
        else:
            lines.append(f"{spelled}: {_scalar(inner)}{note}")
    return lines


def _sequence(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        inner, note = _open(value)
        first, *rest = to_yaml(inner) if isinstance(inner, dict) else [_scalar(inner)]
        yield f"- {first}{note}"
        yield from (f"  {line}" for line in rest)


def _open(value: Any) -> tuple[Any, str]:
    if not isinstance(value, _Noted):
        return value, ""
    return value.value, f"  # {clean_line(f'{value.origin.file}:{value.origin.line}')}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    # Cleaning the output must not change the value, so write what it would change as escapes.
    text = "".join(_ESCAPES.get(sign) or _escaped(sign) for sign in value)
    if clean_line(text) != text:
        text = text.replace(":", "\\x3A").replace("#", "\\x23")
    return f'"{text}"'


def _escaped(sign: str) -> str:
    if clean_line(sign) == sign:
        return sign
    code = ord(sign)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def to_json(document: Mapping[str, Any]) -> list[str]:
    """Return the lines of a document as JSON, without origins."""
    text = json.dumps(_plain(document), indent=2, ensure_ascii=False)
    # Escapes are safe on any terminal. A character beyond 16 bits would need two of them, which
    # YAML readers take for two characters.
    text = "".join(sign if _stays(sign) else json.dumps(sign)[1:-1] for sign in text)
    # In JSON, both occur only inside of strings.
    return text.replace("::", "\\u003a\\u003a").replace("##", "\\u0023\\u0023").split("\n")


def _stays(sign: str) -> bool:
    return sign == "\n" or ((sign.isascii() or ord(sign) > 0xFFFF) and clean_line(sign) == sign)


def _plain(value: Any) -> Any:
    if isinstance(value, _Noted):
        return _plain(value.value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return list(map(_plain, value)) if isinstance(value, list) else value
