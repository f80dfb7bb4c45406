"""The contract of a pipeline as data: a JSON Schema (2020-12) with one extension object, `x-etl`.

The code knows no column and no category by name. The columns that it understands are scalars (string,
integer, number) and arrays of objects of scalars; what else JSON Schema can say is refused rather than
ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.errors import InvalidContract

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCALARS = ("string", "integer", "number")
RULES_WITH_COLUMN = ("missing", "notATimestamp")
ON_DRIFT = ("report", "fail")
NOTES = ("title", "description", "$comment", "examples")
RULES = ("notAnObject", "wrongType", *RULES_WITH_COLUMN)
EXTENSION = ("businessKey", "lookbackDays", "onDrift", "reasons", "timestamp", "category", "output")

_GLUE_SCALARS = {"string": "string", "integer": "bigint", "number": "double"}


@dataclass(frozen=True)
class Column:
    """A delivered column. `fields` is what each object of an array holds, empty for a scalar."""

    name: str
    type: str
    fields: tuple["Column", ...] = ()


@dataclass(frozen=True)
class Rule:
    """Rows that meet `kind` are quarantined with `reason`, unless an earlier rule took them."""

    reason: str
    kind: str
    column: str | None


@dataclass(frozen=True)
class TimestampRule:
    """`source`, read in the first of `formats` (Spark datetime patterns) that fits, gives `column` (UTC; a
    text without a zone is UTC) and `date_column`."""

    source: str
    column: str
    date_column: str
    formats: tuple[str, ...]


@dataclass(frozen=True)
class CategoryRule:
    """`source` looked up in `values`, else `default`, gives `column`."""

    source: str
    column: str
    values: Mapping[str, str]
    default: str


@dataclass(frozen=True)
class Contract:
    """A validated contract. `lookback_days` is at least 0; `on_drift` is one of ON_DRIFT."""

    columns: tuple[Column, ...]
    business_key: tuple[str, ...]
    rules: tuple[Rule, ...]
    timestamp: TimestampRule
    category: CategoryRule
    output: tuple[str, ...]
    lookback_days: int
    on_drift: str

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(rule.reason for rule in self.rules)

    @property
    def output_types(self) -> Mapping[str, str]:
        """The columns that are published, in order, with their types as Glue spells them."""
        types = {column.name: glue_type(column) for column in self.columns}
        types |= {self.timestamp.column: "timestamp", self.timestamp.date_column: "date"}
        types[self.category.column] = "string"
        return {name: types[name] for name in self.output}

    @property
    def delivered_output(self) -> tuple[str, ...]:
        """The published columns that are delivered as they are."""
        delivered = {column.name for column in self.columns}
        return tuple(name for name in self.output if name in delivered)


def glue_type(column: Column) -> str:
    """The type as Glue's catalogue spells it: bigint for integer, double for number, an array of structs."""
    if column.type == "array":
        return f"array<struct<{','.join(f'{field.name}:{glue_type(field)}' for field in column.fields)}>>"
    return _GLUE_SCALARS[column.type]


def parse_contract(text: str, name: str) -> Contract:
    """Reads and validates a contract. Raises InvalidContract with every mistake; `name` says whose they
    are."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidContract(f"{name} is not JSON: {error}") from error
    reader = _Reader()
    contract = reader.contract(document)
    if reader.mistakes:
        raise InvalidContract(f"{name}: " + "; ".join(reader.mistakes))
    return contract


class _Reader:
    """Collects mistakes instead of raising, so that one look at the message mends them all. After a mistake
    it goes on with a harmless value; the contract it then returns is thrown away."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def contract(self, document: object) -> Contract:
        schema = self._object(document, "the contract")
        if schema.get("$schema") != DRAFT:
            self.mistakes.append(f"'$schema' must be '{DRAFT}', got {_shown(schema.get('$schema'))}")
        known = ("$schema", "$id", "type", "properties", "required", "additionalProperties", "x-etl")
        self._refuse_others(schema, "the contract", known)
        for keyword, value in (("type", "object"), ("additionalProperties", True)):
            if schema.get(keyword, value) != value:
                self.mistakes.append(
                    f"'{keyword}' must be {_shown(value)} or left out, got {_shown(schema[keyword])}"
                )
        extension = self._object(schema.get("x-etl"), "'x-etl'")
        self._refuse_others(extension, "'x-etl'", EXTENSION)
        lookback = extension.get("lookbackDays")
        if not isinstance(lookback, int) or isinstance(lookback, bool) or lookback < 0:
            self.mistakes.append(
                f"'x-etl.lookbackDays' must be a whole number of at least 0, got {_shown(lookback)}"
            )
            lookback = 0
        on_drift = extension.get("onDrift", ON_DRIFT[0])
        if on_drift not in ON_DRIFT:
            self.mistakes.append(
                f"'x-etl.onDrift' must be {' or '.join(ON_DRIFT)}, or left out, got {_shown(on_drift)}"
            )
        contract = Contract(
            columns=self._columns(schema.get("properties"), "properties", nested=False),
            business_key=self._texts(extension.get("businessKey"), "x-etl.businessKey"),
            rules=self._rules(extension.get("reasons")),
            timestamp=self._timestamp(extension.get("timestamp")),
            category=self._category(extension.get("category")),
            output=self._texts(extension.get("output"), "x-etl.output"),
            lookback_days=lookback,
            on_drift=on_drift,
        )
        if not self.mistakes:
            self._check_names(contract, self._texts(schema.get("required"), "required"))
        return contract

    def _columns(self, value: object, where: str, nested: bool) -> tuple[Column, ...]:
        columns = []
        for name, node in self._object(value, f"'{where}'").items():
            here = f"{where}.{name}"
            node = self._object(node, f"'{here}'")
            types = node.get("type")
            kinds = [kind for kind in (types if isinstance(types, list) else [types]) if kind != "null"]
            allowed = SCALARS if nested else (*SCALARS, "array")
            if len(kinds) != 1 or kinds[0] not in allowed:
                self.mistakes.append(
                    f"'{here}.type' must be one of {', '.join(allowed)}, got {_shown(types)}"
                )
            elif kinds[0] == "array":
                self._refuse_others(node, f"'{here}'", ("type", "items"))
                entry = self._object(node.get("items"), f"'{here}.items'")
                self._refuse_others(entry, f"'{here}.items'", ("type", "properties"))
                fields = self._columns(entry.get("properties"), f"{here}.items.properties", nested=True)
                columns.append(Column(name, "array", fields))
            else:
                self._refuse_others(node, f"'{here}'", ("type",))
                columns.append(Column(name, kinds[0]))
        return tuple(columns)

    def _rules(self, value: object) -> tuple[Rule, ...]:
        rules = []
        for index, entry in enumerate(self._list(value, "x-etl.reasons")):
            here = f"x-etl.reasons[{index}]"
            rule = self._object(entry, f"'{here}'")
            kind = rule.get("rule")
            if kind not in RULES:
                self.mistakes.append(f"'{here}.rule' must be one of {', '.join(RULES)}, got {_shown(kind)}")
                continue
            column = self._text(rule, "column", here) if kind in RULES_WITH_COLUMN else None
            rules.append(Rule(self._text(rule, "reason", here), kind, column))
        if rules and rules[0].kind != "notAnObject":
            self.mistakes.append(
                "'x-etl.reasons' must begin with rule 'notAnObject': no other can judge such a line"
            )
        return tuple(rules)

    def _timestamp(self, value: object) -> TimestampRule:
        where = "x-etl.timestamp"
        node = self._object(value, f"'{where}'")
        source, column, date_column = (
            self._text(node, key, where) for key in ("source", "column", "dateColumn")
        )
        return TimestampRule(
            source, column, date_column, self._texts(node.get("formats"), f"{where}.formats")
        )

    def _category(self, value: object) -> CategoryRule:
        where = "x-etl.category"
        node = self._object(value, f"'{where}'")
        values = self._object(node.get("values"), f"'{where}.values'")
        for name in values:
            self._text(values, name, f"{where}.values")
        source, column, default = (self._text(node, key, where) for key in ("source", "column", "default"))
        return CategoryRule(source, column, values, default)

    def _check_names(self, contract: Contract, required: tuple[str, ...]) -> None:
        delivered = {column.name: column for column in contract.columns}
        derived = (contract.timestamp.column, contract.timestamp.date_column, contract.category.column)
        uses = [
            *((name, "x-etl.businessKey") for name in contract.business_key),
            *((name, "required") for name in required),
            *((rule.column, "x-etl.reasons") for rule in contract.rules if rule.column is not None),
            (contract.timestamp.source, "x-etl.timestamp.source"),
            (contract.category.source, "x-etl.category.source"),
        ]
        for name, where in uses:
            if name not in delivered:
                self.mistakes.append(f"'{where}' names '{name}'; the properties are {', '.join(delivered)}")
            elif delivered[name].type != "string":
                self.mistakes.append(
                    f"'{where}' names '{name}', which must be a string, is {delivered[name].type}"
                )
        for name in derived:
            if name in delivered:
                self.mistakes.append(f"'{name}' is both delivered and derived")
        for name in contract.output:
            if name not in delivered and name not in derived:
                self.mistakes.append(f"'x-etl.output' names '{name}', which is neither delivered nor derived")
        judged = {rule.column for rule in contract.rules if rule.column is not None}
        for name in (*contract.business_key, *required):
            if name not in judged:
                self.mistakes.append(f"'{name}' must be there, so 'x-etl.reasons' needs a rule for it")
        for name in contract.business_key:
            if name not in contract.output:
                self.mistakes.append(f"'x-etl.output' must hold '{name}' of the business key")
        for name in {reason for reason in contract.reasons if contract.reasons.count(reason) > 1}:
            self.mistakes.append(f"'x-etl.reasons' gives the reason '{name}' twice")
        for kind in ("wrongType", "notATimestamp"):
            if kind not in {rule.kind for rule in contract.rules}:
                self.mistakes.append(f"'x-etl.reasons' needs a reason for rule '{kind}'")

    def _refuse_others(self, node: Mapping[str, Any], what: str, known: tuple[str, ...]) -> None:
        others = [keyword for keyword in node if keyword not in known and keyword not in NOTES]
        if others:
            self.mistakes.append(f"{what} says {', '.join(others)}, which the job would not check")

    def _object(self, value: object, what: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.mistakes.append(f"{what} must be an object, got {_shown(value)}")
        return {}

    def _list(self, value: object, where: str) -> list[Any]:
        if isinstance(value, list) and value:
            return value
        self.mistakes.append(f"'{where}' must be a list with at least one entry, got {_shown(value)}")
        return []

    def _text(self, node: Mapping[str, Any], key: str, where: str) -> str:
        value = node.get(key)
        if isinstance(value, str) and value:
            return value
        self.mistakes.append(f"'{where}.{key}' must be a text, got {_shown(value)}")
        return ""

    def _texts(self, value: object, where: str) -> tuple[str, ...]:
        texts = self._list(value, where)
        if all(isinstance(text, str) and text for text in texts):
            return tuple(texts)
        self.mistakes.append(f"'{where}' must hold texts, got {_shown(value)}")
        return ()


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
