"""Metric math of alarms, over series with the same number of periods; a gap is None.

Supported are numbers, ids, + - * / ^, comparisons, AND, OR, IF, FILL, METRICS, SUM, AVG, MIN, MAX, ABS, CEIL
and FLOOR. Anything else is refused when the alarm is put. Two series give a value where both have one; a
division by zero gives a gap.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Series = list[float | None]
Value = float | Series | list[Series]
"""A number, a series, or an array of series."""

_OPERATORS: dict[type, Callable[[Any, Any], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_OF_MANY: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_SPELLINGS = ((r"&&|\bAND\b", " and "), (r"\|\||\bOR\b", " or "), (r"\^", "**"))


class ExpressionError(ValueError):
    """The expression does not parse, names an unknown id, or uses something unsupported."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression."""

    text: str
    tree: ast.expr

    def names(self) -> set[str]:
        """The ids that it names."""
        calls = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        found = (node for node in ast.walk(self.tree) if isinstance(node, ast.Name))
        return {node.id for node in found if id(node) not in calls and node.id not in ("REPEAT",)}

    def value(self, series: Mapping[str, Series], metrics: list[str]) -> Value:
        """Its value for these series. METRICS() means the ids in ``metrics``."""
        return _Evaluation(self.text, series, metrics).of(self.tree)


def parse(text: str) -> Expression:
    """Read an expression; raises ExpressionError."""
    spelled = text.strip()
    for pattern, python in _SPELLINGS:
        spelled = re.sub(pattern, python, spelled)
    try:
        return Expression(text, ast.parse(spelled.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ExpressionError(f"'{text}' cannot be read") from error


def is_series(value: Value) -> bool:
    """True if a value is one series, which an alarm can watch."""
    return isinstance(value, list) and not any(isinstance(item, list) for item in value)


@dataclass(frozen=True)
class _Evaluation:
    text: str
    series: Mapping[str, Series]
    metrics: list[str]

    def of(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.List):
            return [self._one_series(self.of(item)) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._both(operator.sub, 0.0, self.of(node.operand))
        if isinstance(node, ast.BinOp):
            return self._both(self._known(node.op), self.of(node.left), self.of(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._both(self._known(node.ops[0]), self.of(node.left), self.of(node.comparators[0]))
        if isinstance(node, ast.BoolOp):
            return self._joined(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node.func.id, node.args)
        raise self._refused(ast.unparse(node))

    def _refused(self, what: str) -> ExpressionError:
        return ExpressionError(f"'{self.text}' uses {what}, which is not supported here")

    def _named(self, name: str) -> Series:
        if name not in self.series:
            raise ExpressionError(f"'{self.text}' names {name}, which no metric of the alarm has as its id")
        return self.series[name]

    def _known(self, found: Any) -> Callable[[Any, Any], float]:
        if type(found) not in _OPERATORS:
            raise self._refused(type(found).__name__)
        return _OPERATORS[type(found)]

    def _one_series(self, value: Value) -> Series:
        if not is_series(value):
            raise self._refused("an array that does not hold series")
        return value  # type: ignore[return-value]

    def _joined(self, node: ast.BoolOp) -> Value:
        every = isinstance(node.op, ast.And)
        value = self.of(node.values[0])
        for other in node.values[1:]:
            join = (lambda a, b: bool(a) and bool(b)) if every else (lambda a, b: bool(a) or bool(b))
            value = self._both(join, value, self.of(other))
        return value

    def _both(self, operate: Callable[[Any, Any], float], left: Value, right: Value) -> Value:
        if not isinstance(left, list) and not isinstance(right, list):
            value = _number(operate, left, right)
            if value is None:
                raise ExpressionError(f"'{self.text}' divides by zero")
            return value
        if any(isinstance(item, list) for side in (left, right) if isinstance(side, list) for item in side):
            raise self._refused("an operator on an array")
        length = len(left) if isinstance(left, list) else len(right)  # type: ignore[arg-type]
        pairs = zip(_stretched(left, length), _stretched(right, length), strict=True)
        return [None if a is None or b is None else _number(operate, a, b) for a, b in pairs]

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name == "METRICS" and not arguments:
            return [self.series[metric] for metric in self.metrics]
        if name == "IF" and len(arguments) in (2, 3):
            return self._chosen([self.of(argument) for argument in arguments])
        if name == "FILL" and len(arguments) == 2:
            return self._filled(self._one_series(self.of(arguments[0])), arguments[1])
        if name in _EACH and len(arguments) == 1:
            return self._both(lambda value, _: _EACH[name](value), self.of(arguments[0]), 0.0)
        if name in _OF_MANY and len(arguments) == 1:
            return self._of_many(_OF_MANY[name], self.of(arguments[0]))
        raise self._refused(f"{name} with {len(arguments)} arguments")

    def _chosen(self, values: list[Value]) -> Value:
        condition = values[0]
        length = next((len(value) for value in values if isinstance(value, list)), 1)
        sides = [_stretched(value, length) for value in values]
        sides += [[None] * length] * (3 - len(sides))
        rows = zip(*sides, strict=True)
        chosen = [None if test is None else yes if test else no for test, yes, no in rows]
        if length == 1 and not isinstance(condition, list):
            raise self._refused("IF without a series")
        return chosen

    def _filled(self, series: Series, filler: ast.expr) -> Series:
        if isinstance(filler, ast.Name) and filler.id == "REPEAT":
            filled: Series = []
            for value in series:
                filled.append(value if value is not None or not filled else filled[-1])
            return filled
        by = self.of(filler)
        if isinstance(by, list):
            raise self._refused("FILL with a series")
        return [by if value is None else value for value in series]

    def _of_many(self, of: Callable[[list[float]], float], value: Value) -> Value:
        if not isinstance(value, list):
            raise self._refused("a function of many on a number")
        if is_series(value):
            return _over(of, self._one_series(value)) or 0.0
        return [_over(of, list(column)) for column in zip(*value, strict=True)]


def _over(of: Callable[[list[float]], float], values: Series) -> float | None:
    held = [value for value in values if value is not None]
    return float(of(held)) if held else None


def _stretched(value: Value, length: int) -> Series:
    return value if isinstance(value, list) else [value] * length  # type: ignore[return-value]


def _number(operate: Callable[[Any, Any], float], left: Any, right: Any) -> float | None:
    try:
        return float(operate(left, right))
    except (ZeroDivisionError, OverflowError):
        return None
