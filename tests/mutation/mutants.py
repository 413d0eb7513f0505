"""Changes a module in one small place: the mutants that a test has to tell from the original."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Mutant", "mutants_of"]

_Node = TypeVar("_Node", bound=ast.AST)

Change = tuple[int, str, "Callable[[], None]"]
"""The line, what is changed there, and what changes it."""

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        line: where it is changed.
        function: the first line of the function around it; 0 where it is in none.
        what: the change, for people.
        tree: the changed module, ready to compile.
    """

    line: int
    function: int
    what: str
    tree: ast.Module


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its tree."""
    number = len(list(_changes(ast.parse(source))))
    for index in range(number):
        tree = ast.parse(source)
        line, what, change = list(_changes(tree))[index]
        function = _function_around(tree, line)
        change()
        yield Mutant(line, function, what, ast.fix_missing_locations(tree))


def _function_around(tree: ast.Module, line: int) -> int:
    """Return the first line, decorators included, of the innermost function around a line."""
    around = [
        min([node.lineno, *(one.lineno for one in node.decorator_list)])
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, default=0)


def _changes(tree: ast.Module) -> Iterator[Change]:
    for node in _nodes(tree):
        yield from _of_operator(node)
        yield from _of_value(node)
        yield from _of_condition(node)
        yield from _of_statements(node)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs: no docstring, annotation, import, decorator or list of public names."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_out(child):
                yield from _nodes(child)


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__" | "__hash__")]):
            return True
        case _:
            return False


def _of_operator(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                if type(operator) in _COMPARE:
                    other = _COMPARE[type(operator)]
                    yield _set(node, node.ops, index, other(), f"to {other.__name__}")
        case ast.BoolOp():
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _set_field(node, "op", other_op, f"to {type(other_op).__name__}")
            for index in range(len(node.values)):
                yield _drop(node, node.values, index, "operand")
        case ast.BinOp() if type(node.op) in _BINARY:
            other_binary = _BINARY[type(node.op)]
            yield _set_field(node, "op", other_binary(), f"to {other_binary.__name__}")
        case ast.UnaryOp(op=ast.Not()):
            yield _set_field(node, "op", ast.Not(), "not dropped", operand=True)
        case _:
            return


def _of_value(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.comprehension():
            for index in range(len(node.ifs)):
                yield _drop(node.ifs[index], node.ifs, index, "filter")
        case ast.Name() if node.id in _NAMES and isinstance(node.ctx, ast.Load):
            yield _set_field(node, "id", _NAMES[node.id], f"to {_NAMES[node.id]}")
        case ast.Constant():
            yield from _of_constant(node)
        case ast.Tuple(elts=elements) | ast.Set(elts=elements) if len(elements) > 1:
            if all(isinstance(one, ast.Constant) for one in elements):
                for index in range(len(elements)):
                    yield _drop(elements[index], elements, index, "element")
        case _:
            return


def _of_constant(node: ast.Constant) -> Iterator[Change]:
    match node.value:
        case bool():
            yield _set_field(node, "value", not node.value, f"to {not node.value}")
        case int() | float():
            yield _set_field(node, "value", node.value + 1, f"{node.value} to {node.value + 1}")
        # Words that the code compares, not sentences that a person reads.
        case str() as text if text and " " not in text and len(text) < 60:
            yield _set_field(node, "value", f"XX{text}", f"{text!r} to 'XX{text}'")
        case _:
            return


def _of_condition(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _set_field(node, "test", ast.UnaryOp(ast.Not(), node.test), "condition negated")


def _of_statements(node: ast.AST) -> Iterator[Change]:
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if not isinstance(statements, list):
            continue
        for index, statement in enumerate(statements):
            if new := _instead_of(statement):
                yield _set(statement, statements, index, *new)


def _instead_of(statement: ast.stmt) -> tuple[ast.stmt, str] | None:
    match statement:
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            return ast.Pass(), "call removed"
        case ast.Raise():
            return ast.Pass(), "raise removed"
        case ast.AugAssign() | ast.Delete():
            return ast.Pass(), "statement removed"
        case ast.Return(value=ast.Constant(value=None)):
            return None  # it would be the same
        case ast.Return(value=ast.AST()):
            return ast.Return(ast.Constant(None)), "returns None"
        case ast.Continue():
            return ast.Break(), "to break"
        case ast.Break():
            return ast.Continue(), "to continue"
        case _:
            return None


def _set(at: ast.AST, holder: list[_Node], index: int, new: _Node, what: str) -> Change:
    def change() -> None:
        holder[index] = new

    return _change(at, what, change)


def _set_field(
    node: ast.AST, name: str, new: object, what: str, *, operand: bool = False
) -> Change:
    def change() -> None:
        if operand:
            # `not x` as `not not x`, so that no node has to know what it stands in.
            new_operand = ast.UnaryOp(ast.Not(), node.operand)  # type: ignore[attr-defined]
            node.operand = new_operand  # type: ignore[attr-defined]
        else:
            setattr(node, name, new)

    return _change(node, what, change)


def _drop(at: ast.AST, holder: list[ast.expr], index: int, what: str) -> Change:
    def change() -> None:
        if what == "operand" and len(holder) == 2:
            # One operand makes no operation: the other one twice is the other one.
            holder[index] = holder[1 - index]
        else:
            del holder[index]

    return _change(at, f"{what} {ast.unparse(holder[index])} dropped", change)


def _change(node: ast.AST, what: str, change: Callable[[], None]) -> Change:
    return getattr(node, "lineno", 0), what, change
