"""Markers in a copy of a Solidity source: one before each statement, two around each condition.

A branch is one outcome of one condition: of an `if`, a loop or a `?:`, and where `&&` and `||` join operands,
of each operand; in assembly blocks too. A `try` has a branch for each of its clauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Marker", "instrumented"]

Node = dict[str, Any]

_BLOCKS = ("Block", "UncheckedBlock")
_BODIES = ("falseBody", "trueBody", "body")
_DECIDING = ("IfStatement", "WhileStatement", "DoWhileStatement", "ForStatement", "Conditional")
_UNMARKED = (*_BLOCKS, "PlaceholderStatement")
# Yul has no pure way to call out: a block remembers in scratch space, a bit a number, and tells at its end
_YUL_BEGIN = """ mstore(32, 0)
function reached_(condition, bit) -> same {
    same := condition
    mstore(32, or(mload(32), shl(add(bit, iszero(iszero(condition))), 1)))
} """


@dataclass(frozen=True)
class Marker:
    """A place that can be reached.

    Attributes
    ----------
    file, line
        Where it begins.
    outcome
        None for a statement; `true`, `false` or a clause of a `try` for a branch.
    text
        The condition, or the first line of the statement.
    """

    file: str
    line: int
    outcome: str | None
    text: str


def instrumented(file: str, source: bytes, ast: Node, first: int) -> tuple[bytes, list[Marker]]:
    """The source with calls of `hit`, `arm` and `hits`, and what their numbers mean, from `first` on.

    Parameters
    ----------
    file
        Its path, for the markers.
    ast
        Its syntax tree in solc's compact form; its offsets count the bytes of `source`.
    """
    work = _Copy(file, source, first)
    for node in _walk(ast):
        if node["nodeType"] in ("FunctionDefinition", "ModifierDefinition") and node.get("body"):
            work.visit(node["body"])
    return work.text(), work.markers


def _children(node: Node) -> Iterator[Node]:
    for value in node.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "nodeType" in child:
                yield child


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in _children(node):
        yield from _walk(child)


def _leaf(condition: Node) -> Node | None:
    """What decides under parentheses and negations; None where operands or a constant do."""
    if condition["nodeType"] == "TupleExpression":
        return _leaf(condition["components"][0])
    if condition["nodeType"] == "UnaryOperation" and condition["operator"] == "!":
        return _leaf(condition["subExpression"])
    joined = condition["nodeType"] == "BinaryOperation" and condition["operator"] in ("&&", "||")
    return None if joined or condition["nodeType"] == "Literal" else condition


def _conditions(node: Node) -> list[Node]:
    if node["nodeType"] == "BinaryOperation" and node["operator"] in ("&&", "||"):
        return [node["leftExpression"], node["rightExpression"]]
    return [node["condition"]] if node["nodeType"] in _DECIDING and node.get("condition") else []


class _Copy:
    def __init__(self, file: str, source: bytes, first: int) -> None:
        self._file, self._source, self._first = file, source, first
        self.markers: list[Marker] = []
        self._deciding: set[int] = set()
        self._opened: list[tuple[int, str]] = []  # of one place: the outermost first
        self._closed: list[tuple[int, str]] = []  # of one place: the innermost first

    def text(self) -> bytes:
        parts, at = [], 0
        everything = [(p, 0, t) for p, t in self._closed] + [(p, 1, t) for p, t in self._opened]
        for place, _, text in sorted(everything, key=lambda insertion: insertion[:2]):
            parts += [self._source[at:place], text.encode()]
            at = place
        return b"".join([*parts, self._source[at:]])

    def visit(self, node: Node) -> None:
        """Mark what is in `node`, the outer before the inner."""
        if node["nodeType"] in _BLOCKS:
            for statement in node["statements"]:
                self._statement(statement)
            return
        decides = node.get("id") in self._deciding
        if decides:
            self._opened.append((self._span(node)[0], "arm("))
            number = self._branch(node, "false", "true")
        self._within(node)
        if decides:
            self._closed.append((self._span(node)[1], f", {number})"))

    def _within(self, node: Node) -> None:
        self._deciding |= {leaf["id"] for c in _conditions(node) if (leaf := _leaf(c)) is not None}
        if node["nodeType"] == "InlineAssembly":
            self._assembly(node)
            return
        if node["nodeType"] == "TryStatement":
            for i, clause in enumerate(node["clauses"]):
                number = self._branch(clause, "catch" if i else "returns")
                self._opened.append((self._span(clause["block"])[0] + 1, f" hit({number});"))
        bodies = [id(node[part]) for part in _BODIES if node.get(part)]
        for child in _children(node):
            (self._body if id(child) in bodies else self.visit)(child)

    # --- statements

    def _statement(self, node: Node) -> None:
        if node["nodeType"] not in _UNMARKED:
            self._opened.append((self._span(node)[0], f"hit({self._mark(node, None)}); "))
        self.visit(node)

    def _body(self, node: Node) -> None:
        """Of an `if` or a loop: in braces, so that a marker fits before it."""
        if node["nodeType"] in _BLOCKS:
            self.visit(node)
            return
        self._opened.append((self._span(node)[0], "{ "))
        self._statement(node)
        self._closed.append((self._end(node), " }"))

    def _end(self, node: Node) -> int:
        """Behind a statement, its semicolon included, which its span leaves out."""
        for part in _BODIES:
            if node.get(part):
                return self._end(node[part])
        end = self._span(node)[1]
        closed = node["nodeType"] in (*_BLOCKS, "TryStatement", "InlineAssembly")
        return end if closed else self._source.index(b";", end - 1) + 1

    # --- assembly

    def _assembly(self, node: Node) -> None:
        conditions = [
            n["condition"]
            for n in _walk(node["AST"])
            if n["nodeType"] in ("YulIf", "YulForLoop") and n["condition"]["nodeType"] != "YulLiteral"
        ]
        if not conditions:
            return
        begin, end = self._span(node)
        inner, outer = self._span(node["AST"])
        name, first = f"bits{begin}_", self._first + len(self.markers)
        self._opened += [(begin, f"{{ uint256 {name}; "), (inner + 1, _YUL_BEGIN)]
        for bit, condition in enumerate(conditions):
            self._branch(condition, "false", "true")
            left, right = self._span(condition)
            self._opened.append((left, "reached_("))
            self._closed.append((right, f", {2 * bit})"))
        self._closed += [(outer - 1, f" {name} := mload(32) "), (end, f" hits({name}, {first}); }}")]

    # --- markers

    def _branch(self, node: Node, *outcomes: str) -> int:
        numbers = [self._mark(node, outcome) for outcome in outcomes]
        return numbers[0]

    def _mark(self, node: Node, outcome: str | None) -> int:
        begin, end = self._span(node)
        line = self._source.count(b"\n", 0, begin) + 1
        text = " ".join(self._source[begin:end].decode().split())
        self.markers.append(Marker(self._file, line, outcome, text))
        return self._first + len(self.markers) - 1

    def _span(self, node: Node) -> tuple[int, int]:
        begin, length, _ = map(int, node["src"].split(":"))
        return begin, begin + length
