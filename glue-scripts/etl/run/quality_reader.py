"""Reads a quality file strictly. The type of a rule decides which keys it needs; no other key is allowed."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from etl.run.expression import find_columns, find_mistakes

MILLION = 1_000_000  # shares are kept as whole millionths
MAX_ROWS = 2_147_483_647  # what a run may have
MAX_HOURS = 1_000_000
MAX_RULES = 100  # a function of Athena's takes 127 arguments
VISIBILITY_RULE = "rows_are_visible"
DEFAULT_RULE = "lines_are_readable"
DEFAULT_LIMIT = 100_000  # millionths of the lines that may be unreadable, unless a rule sets another share

# For each type its actions, and the keys that it needs besides name, type, action and atLeast.
_ROW_BY_ROW = ("warn", "halt", "quarantine")
_AS_A_WHOLE = ("warn", "halt")
TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "completeness": (_ROW_BY_ROW, ("column",)),
    "uniqueness": (_AS_A_WHOLE, ("columns",)),
    "rowCount": (_AS_A_WHOLE, ()),
    "freshness": (_AS_A_WHOLE, ("column", "atMostHours")),
    "allowedValues": (_ROW_BY_ROW, ("column", "values")),
    "quarantineLimit": (_AS_A_WHOLE, ("reason", "atMost")),
    "customSql": (_ROW_BY_ROW, ("expression",)),
}
# The types that judge a share of the rows to be published.
SHARES = ("completeness", "uniqueness", "allowedValues", "customSql")
_SCALARS = ("string", "bigint", "double", "decimal", "boolean", "timestamp", "date")
COLUMN_TYPES: dict[str, tuple[str, ...]] = {
    "completeness": (*_SCALARS, "array", "map"),
    "uniqueness": _SCALARS,
    "freshness": ("timestamp",),
    "allowedValues": ("string",),
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Rule:
    """A validated rule. `at_least` and `at_most` are millionths, for a rowCount rule rows. `columns` also
    holds the column of a rule with a single one. Fields that its type does not use keep their defaults."""

    name: str
    type: str
    action: str
    weight: int = 1
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    reason: str = ""
    expression: str = ""
    at_least: int = 0
    at_most: int | None = None
    at_most_hours: int = 0


def columns_of_rule(rule: Rule, columns: Iterable[str]) -> tuple[str, ...]:
    """The columns that a quality rule is about."""
    return rule.columns or tuple(find_columns(rule.expression, list(columns)))


def bounds_unreadable(rule: Rule, reason: str) -> bool:
    """True if a rule limits the lines that are quarantined with `reason`: it must be able to fail the run,
    and its limit must be below 100 %."""
    is_limit = rule.type == "quarantineLimit" and rule.reason == reason and rule.action == "halt"
    return is_limit and (rule.at_most or 0) < MILLION


def default_limit(reason: str) -> Rule:
    """The rule that is added if no rule does that. It has no weight, so that the score depends on the
    rules of the file alone."""
    return Rule(DEFAULT_RULE, "quarantineLimit", "halt", weight=0, reason=reason, at_most=DEFAULT_LIMIT)


class QualityReader:
    """Collects all mistakes before it raises, so that one message names them all."""

    def __init__(self, columns: Mapping[str, str], reasons: Sequence[str]) -> None:
        self.mistakes: list[str] = []
        self._columns = columns
        self._reasons = tuple(reasons)

    def read(self, document: object) -> tuple[int, tuple[Rule, ...]]:
        """Threshold and rules. They are not usable if there was a mistake."""
        node = self._object(document, "the quality file")
        self._refuse_others(node, "the quality file", ("threshold", "rules"))
        threshold = self._whole(node, "threshold", "", 0, 100)
        entries = node.get("rules")
        if not isinstance(entries, list) or not entries:
            self._wrong("rules", "a list with at least one rule", entries)
            return threshold, ()
        if len(entries) > MAX_RULES:
            self._wrong("rules", f"a list of at most {MAX_RULES} rules", len(entries))
        nodes = [self._object(entry, f"'rules[{index}]'") for index, entry in enumerate(entries)]
        names = [entry.get("name") for entry in nodes]
        taken = [entry.get("name") for entry in nodes if entry.get("action") == "quarantine"]
        self._check_names(names)
        reasons = (*self._reasons, *(name for name in taken if isinstance(name, str)))
        return threshold, tuple(
            self._rule(entry, f"rules[{index}]", reasons) for index, entry in enumerate(nodes) if entry
        )

    def _check_names(self, names: Sequence[object]) -> None:
        for index, name in enumerate(names):
            here = f"rules[{index}].name"
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                form = "at most 60 small letters, digits and '_', beginning with a letter"
                self._wrong(here, form, name)
            elif name in names[:index]:
                self.mistakes.append(f"'{here}' is '{name}', the name of another rule")
            elif name == VISIBILITY_RULE:
                self.mistakes.append(f"'{here}' is '{name}', a name that the query uses for its own check")
            elif name == DEFAULT_RULE:
                self.mistakes.append(f"'{here}' is '{name}', the name of the default limit")
            elif name in self._reasons:
                self.mistakes.append(f"'{here}' is '{name}', which is a reason of the contract")

    def _rule(self, node: Mapping[str, Any], here: str, reasons: Sequence[str]) -> Rule:
        type_, action = self._one_of(node, "type", here, tuple(TYPES)), node.get("action")
        if not type_:
            return Rule("", "", "")
        actions, keys = TYPES[type_]
        if action not in actions:
            self._wrong(f"{here}.action", f"{' or '.join(actions)} for {type_}", action)
        bounds = _bounds_of(type_, str(action))
        self._refuse_others(node, f"'{here}'", ("name", "type", "action", "weight", *keys, *bounds))
        at_least, at_most = self._bounds(node, type_, bounds, here)
        has_hours = "atMostHours" in keys
        return Rule(
            name=str(node.get("name")),
            type=type_,
            action=str(action),
            weight=self._whole(node, "weight", here, 1, 100) if "weight" in node else 1,
            columns=self._rule_columns(node, type_, here),
            values=self._texts(node, "values", here) if "values" in keys else (),
            reason=self._one_of(node, "reason", here, reasons) if "reason" in keys else "",
            expression=self._expression(node, here) if "expression" in keys else "",
            at_least=at_least,
            at_most=at_most,
            at_most_hours=self._whole(node, "atMostHours", here, 0, MAX_HOURS) if has_hours else 0,
        )

    def _rule_columns(self, node: Mapping[str, Any], type_: str, here: str) -> tuple[str, ...]:
        if "columns" in TYPES[type_][1]:
            names = self._texts(node, "columns", here)
            for name in names:
                if name == "":
                    self._wrong(f"{here}.columns", f"names of {', '.join(self._columns)}", name)
                self._check_column(name, f"{here}.columns", type_)
            return names
        if "column" in TYPES[type_][1]:
            name = self._one_of(node, "column", here, tuple(self._columns))
            self._check_column(name, f"{here}.column", type_)
            return (name,)
        return ()

    def _check_column(self, name: str, where: str, type_: str) -> None:
        if name == "":
            return  # already reported
        if name not in self._columns:
            self._wrong(where, f"one of {', '.join(self._columns)}", name)
            return
        kind = re.split("[<(]", self._columns[name])[0]
        if kind not in COLUMN_TYPES[type_]:
            demand = " or ".join(COLUMN_TYPES[type_])
            self.mistakes.append(f"'{where}' names '{name}', which must be {demand} and is {kind}")

    def _expression(self, node: Mapping[str, Any], here: str) -> str:
        expression = node.get("expression")
        if not isinstance(expression, str):
            self._wrong(f"{here}.expression", "a text", expression)
            return ""
        for mistake in find_mistakes(expression, self._columns):
            self.mistakes.append(f"'{here}.expression' of rule '{node.get('name')}' {mistake}")
        return expression

    def _bounds(
        self, node: Mapping[str, Any], type_: str, keys: tuple[str, ...], here: str
    ) -> tuple[int, int | None]:
        """`at_least` and `at_most` of a rule that may say `keys`."""
        if type_ == "rowCount":
            return self._row_bounds(node, here)
        if type_ == "quarantineLimit":
            return 0, self._share(node, "atMost", here)
        return (self._share(node, "atLeast", here) if keys else MILLION), None

    def _row_bounds(self, node: Mapping[str, Any], here: str) -> tuple[int, int | None]:
        if "atLeast" not in node and "atMost" not in node:
            self.mistakes.append(f"'{here}' needs atLeast, atMost or both")
        low = self._whole(node, "atLeast", here, 0, MAX_ROWS) if "atLeast" in node else 0
        high = self._whole(node, "atMost", here, 0, MAX_ROWS) if "atMost" in node else None
        if high is not None and low > high:
            self.mistakes.append(f"'{here}.atLeast' must not be above atMost, got {low} and {high}")
        return low, high

    def _share(self, node: Mapping[str, Any], key: str, here: str) -> int:
        value = node.get(key)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= 1:
            millionths = value * MILLION
            if millionths == int(millionths):
                return int(millionths)
        self._wrong(f"{here}.{key}", "from 0 to 1 with at most six decimals", value)
        return 0

    def _whole(self, node: Mapping[str, Any], key: str, here: str, low: int, high: int) -> int:
        value = node.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self._wrong(f"{here}.{key}" if here else key, f"a whole number from {low} to {high}", value)
        return low

    def _one_of(self, node: Mapping[str, Any], key: str, here: str, known: Sequence[str]) -> str:
        value = node.get(key)
        if isinstance(value, str) and value in known:
            return value
        self._wrong(f"{here}.{key}", f"one of {', '.join(known)}", value)
        return ""

    def _texts(self, node: Mapping[str, Any], key: str, here: str) -> tuple[str, ...]:
        value = node.get(key)
        if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
            if len(set(value)) == len(value):
                return tuple(value)
            self.mistakes.append(f"'{here}.{key}' says something twice, got {_shown(value)}")
        else:
            self._wrong(f"{here}.{key}", "a list of at least one text", value)
        return ()

    def _refuse_others(self, node: Mapping[str, Any], what: str, known: Sequence[str]) -> None:
        others = [key for key in node if key not in known]
        if others:
            self.mistakes.append(
                f"{what} holds {', '.join(others)}, which is unknown; it may hold {', '.join(known)}"
            )

    def _object(self, value: object, what: str) -> dict[str, Any]:
        if isinstance(value, dict) and value:
            return value
        self.mistakes.append(f"{what} must be an object, got {_shown(value)}")
        return {}

    def _wrong(self, where: str, demand: str, value: object) -> None:
        self.mistakes.append(f"'{where}' must be {demand}, got {_shown(value)}")


def _bounds_of(type_: str, action: str) -> tuple[str, ...]:
    """The share keys of a type. A rule that quarantines has none: every row must meet it."""
    if type_ == "rowCount":
        return ("atLeast", "atMost")
    return ("atLeast",) if type_ in SHARES and action != "quarantine" else ()


def _shown(value: object) -> str:
    text = json.dumps(value, default=lambda number: float(number))
    return text if len(text) <= 60 else text[:57] + "..."
