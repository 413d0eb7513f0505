"""Dataclasses as JSON and back. Reading is strict: each value must have the type of its field."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


_PLAIN = frozenset({str, bool, int, float, type(None)})


def to_json(value: Any) -> Any:
    """Return a value as JSON has it: fields at their default are left out, a Decimal is a text."""
    if type(value) in _PLAIN:  # first, since nearly all are
        return value
    if isinstance(value, tuple):
        return [to_json(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if dataclasses.is_dataclass(value):
        return {
            name: inner if type(inner) in _PLAIN else to_json(inner)
            for name, default in _fields(value.__class__)
            if (inner := getattr(value, name)) != default
        }
    return value


@cache
def _fields(of: Any) -> list[tuple[str, Any]]:
    return [
        (one.name, {} if one.default_factory is dict else one.default)
        for one in dataclasses.fields(of)
    ]


def from_json(of: type[_T], value: Any) -> _T:
    """Return the value of a type that `to_json` wrote so, and that `strict_json.loads` read.

    Raises:
        ValueError: a field is unknown, missing, or of another type.
    """
    kind: Any = of
    try:
        result: _T = _reader(kind)(value)
    except (LookupError, TypeError, ArithmeticError):
        raise ValueError(f"its fields are not those of the type {of.__name__}") from None
    return result


@cache
def _reader(of: Any) -> Callable[[Any], Any]:
    """Return what reads values of one type; made once, since it reads many thousands."""
    parts = get_args(of)
    if get_origin(of) is tuple:
        return _tuple_reader(*parts)
    if get_origin(of) is dict:
        key, inner = map(_reader, parts)
        return lambda value: {key(name): inner(one) for name, one in _typed(dict, value).items()}
    if isinstance(of, UnionType):
        some = _reader(parts[0])
        return lambda value: None if value is None else some(value)
    if dataclasses.is_dataclass(of):
        hints = get_type_hints(of)
        reads = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(of)}
        make: Any = of
        return lambda value: make(
            **{name: reads[name](inner) for name, inner in _typed(dict, value).items()}
        )
    if issubclass(of, Enum):
        members = {member.value: member for member in of}
        return lambda value: members[_typed(str, value)]
    if of is Decimal:
        return lambda value: Decimal(_typed(str, value))
    return _number if of is float else lambda value: _typed(of, value)


def _tuple_reader(first: Any, *others: Any) -> Callable[[Any], tuple[Any, ...]]:
    read = _reader(first)
    if others == (Ellipsis,):
        return lambda value: tuple(map(read, _typed(list, value)))
    reads = [read, *map(_reader, others)]
    return lambda value: tuple(
        one(inner) for one, inner in zip(reads, _typed(list, value), strict=True)
    )


def _typed(of: type[_T], value: Any) -> _T:
    if type(value) is not of:
        raise TypeError
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float, Decimal):
        raise TypeError
    return float(value) if isinstance(value, Decimal) else value
