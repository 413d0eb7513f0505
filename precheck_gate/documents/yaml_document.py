"""Files that people write (policies, scenarios): YAML or JSON, with the place of every value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from precheck_gate.errors import DocumentError, Problem, UsageError, unreadable
from precheck_gate.runtime.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

__all__ = ["Document", "Path_", "Place", "parse_document", "read_document", "spell_path"]

MAX_BYTES = 1024 * 1024
MAX_VALUES = 100_000
MAX_DEPTH = 40
# What PyYAML quotes of a file: more than one character, and no token of its own ('<scalar>').
_QUOTED = re.compile(r""" (['"])(?!<)(?:(?!\1).){2,}\1""")
_TOO_DEEP = "it is nested beyond reason"

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; both numbers count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """A parsed file: its value, and where each value and each key of it stands."""

    file: str
    value: Any
    lines: tuple[str, ...]
    values: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)

    def place(self, path: Path_) -> Place:
        """Return where the value at ``path`` stands, or its nearest parent that is there."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(1, 1))

    def problem_at(self, message: str, spelt: str, *, hint: str = "") -> Problem:
        """Like `problem`, for the value whose path is spelt like that (see `spell_path`)."""
        path = next((one for one in self.values if spell_path(one) == spelt), ())
        return self.problem(message, path, hint=hint)

    def problem(self, message: str, path: Path_, *, key: bool = False, hint: str = "") -> Problem:
        """Return a problem with the value (or, with ``key``, the key) at ``path``."""
        place = self.keys.get(path) if key else None
        place = place or self.place(path)
        return Problem(
            message=message,
            file=self.file,
            line=place.line,
            column=place.column,
            path=spell_path(path),
            hint=hint,
        )


def spell_path(path: Path_) -> str:
    """Return a path as people write it: ``rules[2].match.item``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of YAML 1.2's core schema: `no` is text, dates are text."""

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        """Open a bracket, but not one too many: each makes everything that follows slower."""
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
        # In JSON a character beyond U+FFFF may be escaped as two, which belong together.
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
        problem=f"the tag {node.tag!r} is not supported here", problem_mark=node.start_mark
    )


class _Builder:
    """Turns YAML nodes into plain values and remembers where each one stands.

    Aliases are followed by building anew, so that a file of a few lines that unfolds to millions
    of values runs into the bound and not into the memory.
    """

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self.document = Document(file=file, value=None, lines=lines)
        self.problems: list[Problem] = []
        self._count = 0

    def build(self, node: yaml.Node, path: Path_) -> Any:
        self._count += 1
        mark = node.start_mark
        self.document.values[path] = Place(mark.line + 1, mark.column + 1)
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            bound = f"{MAX_VALUES} values" if self._count > MAX_VALUES else f"{MAX_DEPTH} levels"
            raise yaml.constructor.ConstructorError(
                problem=f"the file unfolds to more than {bound}", problem_mark=mark
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            place = Place(mark.line + 1, mark.column + 1)
            key: Hashable = key_node.value
            if not isinstance(key, str) or not isinstance(key_node, yaml.ScalarNode):
                self.document.keys[(*path, "?")] = place
                self.problems.append(
                    self.document.problem("a key must be text", (*path, "?"), key=True)
                )
                continue
            here = (*path, key)
            if key in result:
                first = self.document.keys[here]
                self.document.keys[here] = place
                self.problems.append(
                    self.document.problem(
                        f"the key {key!r} stands twice",
                        here,
                        key=True,
                        hint=f"first in line {first.line}; keep one",
                    )
                )
                continue
            self.document.keys[here] = place
            result[key] = self.build(value_node, here)
        return result


def parse_document(text: str, file: str) -> Document:
    """Parse YAML or JSON.

    Args:
        text: the file's content. Whether it is JSON is told by its first character, since tabs
            indent JSON and may not indent YAML.
        file: its name for messages.

    Raises:
        DocumentError: not YAML, a key twice, a key that is no text, an empty file, more than one
            document, or one that unfolds beyond the bounds.
    """
    lines = tuple(text.split("\n"))
    if text.lstrip()[:1] in ("{", "["):
        # A raw tab is never inside a JSON string, so that a blank in its place keeps all columns.
        text = text.replace("\t", " ")
    builder = _Builder(file, lines)
    try:
        node = _Loader(text).get_single_node()
        if node is None:
            raise DocumentError(f"{file} is empty.", [Problem("nothing in it", file)])
        value = builder.build(node, ())
    except yaml.MarkedYAMLError as error:
        raise DocumentError(
            f"{file} cannot be read.", [_yaml_problem(error, file, lines)]
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        problem = Problem(str(error).split("\n", maxsplit=1)[0], file)
        raise DocumentError(f"{file} cannot be read.", [problem]) from None
    except RecursionError:
        problem = Problem(_TOO_DEEP, file)
        raise DocumentError(f"{file} cannot be read.", [problem]) from None
    if builder.problems:
        raise DocumentError(f"{file} cannot be used.", builder.problems)
    made = builder.document
    return Document(file=file, value=value, lines=lines, values=made.values, keys=made.keys)


def _yaml_problem(error: yaml.MarkedYAMLError, file: str, lines: tuple[str, ...]) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = " ".join(part for part in (error.context, error.problem) if part)
    # The names of aliases, tags and the like are content.
    message = _QUOTED.sub("", message)
    if mark is None:
        return Problem(message, file)
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: mark.column + 1]:
        message += "; YAML is indented with blanks, never with tabs"
    return Problem(
        message,
        file,
        line=mark.line + 1,
        column=mark.column + 1,
    )


def read_document(path: Path, what: str) -> Document:
    """Read and parse a file; ``what`` names its kind in messages ("policy").

    Raises:
        UsageError: it cannot be read, is too large, does not end in time, or is not UTF-8.
        DocumentError: see `parse_document`.
    """
    try:
        # Commands read a document more than once, and a pipe gives it only once.
        content = read_file(path, MAX_BYTES, keep=True)
        return parse_document(content.decode("utf-8-sig"), str(path))
    except OSError as error:
        raise unreadable(f"The {what}", path, error) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"The {what} {path} is not UTF-8: byte {error.start} cannot be decoded.",
            hint="Save it as UTF-8.",
        ) from None
