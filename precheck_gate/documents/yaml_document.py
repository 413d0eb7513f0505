"""Read YAML or JSON files that people write, and keep the position of every value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from precheck_gate.errors import DocumentError, Problem, UsageError, unreadable
from precheck_gate.runtime.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

MAX_BYTES = 1024 * 1024
MAX_VALUES = 100_000
MAX_DEPTH = 40
# What PyYAML quotes of a file: more than one character, and no token of its own ('<scalar>').
_QUOTED = re.compile(r""" (['"])(?!<)(?:(?!\1).){2,}\1""")
_TOO_DEEP = "nested too deeply"

ValuePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a file; both numbers count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """A parsed file: its value, and the position of each value and each key."""

    file: str
    value: Any
    lines: tuple[str, ...]
    values: dict[ValuePath, Position] = field(default_factory=dict)
    keys: dict[ValuePath, Position] = field(default_factory=dict)

    def place(self, path: ValuePath, *, key: bool = False) -> Position:
        """Return the position of the value (or, with ``key``, the key) at ``path``.

        If it is not in the file, return that of the nearest parent.
        """
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Position(1, 1))

    def problem(
        self, message: str, path: ValuePath, *, key: bool = False, hint: str = ""
    ) -> Problem:
        """Return a problem with the value (or, with ``key``, the key) at ``path``."""
        place = self.place(path, key=key)
        return Problem(message, self.file, place.line, place.column, spell_path(path), hint)


def spell_path(path: ValuePath) -> str:
    """Return a path as people write it: ``rules[2].match.item``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of YAML 1.2's core schema: `no` and dates are text."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        """Limit the nesting here: each open bracket slows down everything that follows."""
        if self.flow_level > MAX_DEPTH:
            raise yaml.scanner.ScannerError(problem=_TOO_DEEP, problem_mark=self.get_mark())
        super().fetch_flow_collection_start(token)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first
    )


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    kind = node.tag.rpartition(":")[2]
    text: str = node.value
    if kind == "str":
        # JSON may escape a character beyond U+FFFF as a surrogate pair.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        prefix = text[:2].lower()
        return int(text[2:], 8 if prefix == "0o" else 16) if prefix in ("0o", "0x") else int(text)
    if kind == "float":
        return float(text)
    raise yaml.constructor.ConstructorError(
        problem=f"the tag {node.tag!r} is not supported", problem_mark=node.start_mark
    )


class _Builder:
    """Turns YAML nodes into plain values and records their positions.

    Each alias builds its values anew, so that a small file that expands to millions of values
    reaches the limit before it fills the memory.
    """

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self.document = Document(file=file, value=None, lines=lines)
        self.problems: list[Problem] = []
        self._count = 0

    def build(self, node: yaml.Node, path: ValuePath) -> Any:
        self._count += 1
        mark = node.start_mark
        self.document.values[path] = Position(mark.line + 1, mark.column + 1)
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            bound = f"{MAX_VALUES} values" if self._count > MAX_VALUES else f"{MAX_DEPTH} levels"
            raise yaml.constructor.ConstructorError(
                problem=f"the file expands to more than {bound}", problem_mark=mark
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: ValuePath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            place = Position(mark.line + 1, mark.column + 1)
            key: Hashable = key_node.value
            if not isinstance(key, str) or not isinstance(key_node, yaml.ScalarNode):
                self._complain("a key must be text", place, (*path, "?"))
                continue
            here = (*path, key)
            if key in result:
                hint = f"first in line {self.document.keys[here].line}"
                self._complain(f"duplicate key {key!r}", place, here, hint)
                continue
            self.document.keys[here] = place
            result[key] = self.build(value_node, here)
        return result

    def _complain(self, message: str, place: Position, path: ValuePath, hint: str = "") -> None:
        spelled = spell_path(path)
        file = self.document.file
        self.problems.append(Problem(message, file, place.line, place.column, spelled, hint))


def parse_document(text: str, file: str) -> Document:
    """Parse YAML or JSON; ``file`` is the name for messages.

    Raises:
        DocumentError: not YAML, a duplicate key, a key that is not text, an empty file, more than
            one document, or one that expands beyond the limits.
    """
    lines = tuple(text.split("\n"))
    if text.lstrip()[:1] in ("{", "["):
        # JSON may be indented with tabs, which YAML refuses. A JSON string holds no raw tab, so a
        # space in its place changes nothing and keeps all columns.
        text = text.replace("\t", " ")
    builder = _Builder(file, lines)
    try:
        node = _Loader(text).get_single_node()
        if node is None:
            raise DocumentError(f"{file} is empty.", [Problem("no content", file)])
        value = builder.build(node, ())
    except yaml.MarkedYAMLError as error:
        problem = _yaml_problem(error, file, lines)
    except (yaml.YAMLError, ValueError) as error:
        problem = Problem(str(error).split("\n", maxsplit=1)[0], file)
    except RecursionError:
        problem = Problem(_TOO_DEEP, file)
    else:
        if builder.problems:
            raise DocumentError(f"{file} cannot be used.", builder.problems)
        return replace(builder.document, value=value)
    raise DocumentError(f"{file} cannot be read.", [problem])


def _yaml_problem(error: yaml.MarkedYAMLError, file: str, lines: tuple[str, ...]) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = " ".join(part for part in (error.context, error.problem) if part)
    # The names of aliases, tags and the like are content.
    message = _QUOTED.sub("", message)
    if mark is None:
        return Problem(message, file)
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: mark.column + 1]:
        message += "; indent YAML with spaces, not tabs"
    return Problem(message, file, mark.line + 1, mark.column + 1)


def read_document(path: Path, what: str) -> Document:
    """Read and parse a file; ``what`` names its kind in messages ("policy").

    Raises:
        UsageError: the file cannot be read, is too large, does not end in time, or is not UTF-8.
        DocumentError: see `parse_document`.
    """
    try:
        # Commands read a document more than once, but a pipe gives it only once.
        content = read_file(path, MAX_BYTES, keep=True)
        return parse_document(content.decode("utf-8-sig"), str(path))
    except OSError as error:
        raise unreadable(f"The {what}", path, error) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"The {what} {path} is not valid UTF-8 (byte {error.start}).",
            hint="Save it as UTF-8.",
        ) from None
