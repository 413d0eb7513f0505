"""Dataclasses as JSON and back. Reading is strict: each value must have the type of its field."""

from __future__ import annotations

import dataclasses
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["from_json", "to_json"]

_T = TypeVar("_T")


def to_json(value: Any) -> Any:
    """Return a value as JSON has it: fields at their default are left out, a Decimal is a text."""
    if dataclasses.is_dataclass(value):
        return {
            name: to_json(inner)
            for name, default in _fields(value.__class__)
            if (inner := getattr(value, name)) != default
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [to_json(inner) for inner in value]
    return value


@cache
def _fields(of: Any) -> list[tuple[str, Any]]:
    return [
        (one.name, one.default if one.default_factory is dataclasses.MISSING else {})
        for one in dataclasses.fields(of)
    ]


def from_json(of: type[_T], value: Any) -> _T:
    """Return the value of a type that `to_json` wrote so, and that `strict_json.loads` read.

    Raises:
        ValueError: a field is unknown, missing, or of another type.
    """
    kind: Any = of
    result: _T = _reader(kind)(value)
    return result


@cache
def _reader(of: Any) -> Callable[[Any], Any]:
    """Return what reads values of one type; made once, since it reads thousands of them."""
    if get_origin(of) is tuple:
        return _tuple_reader(get_args(of))
    if get_origin(of) is dict:
        return _dict_reader(*map(_reader, get_args(of)))
    if isinstance(of, UnionType):
        read = _reader(get_args(of)[0])
        return lambda value: None if value is None else read(value)
    if dataclasses.is_dataclass(of):
        return _dataclass_reader(of)
    if issubclass(of, Enum):
        return _enum_reader(of)
    return {float: _number, Decimal: _decimal}.get(of) or _plain_reader(of)


def _plain_reader(of: type[Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not of:
            raise ValueError(f"a value is not of the type {of.__name__}")
        return value

    return read


def _enum_reader(of: type[Enum]) -> Callable[[Any], Any]:
    members = {member.value: member for member in of}

    def read(value: Any) -> Enum:
        if not isinstance(value, str) or value not in members:
            raise ValueError(f"a value is none of the type {of.__name__}")
        return members[value]

    return read


def _number(value: Any) -> float:
    if type(value) not in (int, float, Decimal):
        raise ValueError("a value is not a number")
    return value if isinstance(value, int) else float(value)


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(_plain_reader(str)(value))
    except InvalidOperation:
        raise ValueError("a text is not a number") from None


def _tuple_reader(of: tuple[Any, ...]) -> Callable[[Any], tuple[Any, ...]]:
    reads = tuple(_reader(one) for one in of if one is not Ellipsis)

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("a value is not a list")
        if of[-1] is Ellipsis:
            return tuple(map(reads[0], value))
        if len(value) != len(reads):
            raise ValueError("a list has not the right length")
        return tuple(one(inner) for one, inner in zip(reads, value, strict=True))

    return read


def _dict_reader(
    key: Callable[[Any], Any], inner: Callable[[Any], Any]
) -> Callable[[Any], dict[Any, Any]]:
    def read(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise ValueError("a value is not an object")
        return {key(name): inner(one) for name, one in value.items()}

    return read


def _dataclass_reader(of: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(of)
    reads = {one.name: _reader(hints[one.name]) for one in dataclasses.fields(of) if one.init}
    needed = {
        one.name
        for one in dataclasses.fields(of)
        if one.default is one.default_factory is dataclasses.MISSING
    }

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("a value is not an object")
        if value.keys() - reads.keys() or needed - value.keys():
            raise ValueError(f"the fields of an object are not those of the type {of.__name__}")
        return of(**{name: reads[name](inner) for name, inner in value.items()})

    return read
