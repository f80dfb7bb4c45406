"""The contract of a pipeline as data: a JSON Schema (2020-12) with one extension object, `x-etl`.

The code knows no column and no category by name. The columns that it understands are scalars (string,
integer, number), of which a string may be a date (`x-date`, its formats) and a number a decimal (`x-decimal`,
precision and scale), and arrays of objects of scalars; what else JSON Schema can say is refused rather than
ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from etl.contract_checks import find_wrong_names
from etl.contract_nodes import shown as _shown
from etl.contract_parts import (
    JSON_LINES,
    KEPT,
    KEPT_TYPE,
    Aggregate,
    Computed,
    Format,
    PartsReader,
    Shape,
    is_decimal,
)
from etl.errors import InvalidContract

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCALARS = ("string", "integer", "number")
RULES_WITH_COLUMN = ("missing", "notATimestamp")
ON_DRIFT = ("report", "fail")
RULES = ("notAnObject", "wrongType", *RULES_WITH_COLUMN)
EXTENSION = ("businessKey", "lookbackDays", "onDrift", "reasons", "timestamp", "category", "output")
OPTIONAL = ("format", "shapes", "computed", "partitionBy", "aggregate", "orderColumn")

_GLUE_SCALARS = {"string": "string", "integer": "bigint", "number": "double"}


@dataclass(frozen=True)
class Column:
    """A delivered column. `fields` is what each object of an array holds, empty for a scalar; `decimal` is
    the precision and scale of an exact number; `formats` (Spark datetime patterns) are those of a date."""

    name: str
    type: str
    fields: tuple["Column", ...] = ()
    decimal: tuple[int, int] | None = None
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Rows that meet `kind` are quarantined with `reason`, unless an earlier rule took them."""

    reason: str
    kind: str
    column: str | None


@dataclass(frozen=True)
class TimestampRule:
    """`source`, read in the first of `formats` (Spark datetime patterns) that fits, gives `column` (UTC; a
    text without a zone is UTC) and `date_column`. In one of `date_formats` it gives the date alone. The date
    may have the source's name, and is then published in its place."""

    source: str
    column: str
    date_column: str
    formats: tuple[str, ...]
    date_formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class CategoryRule:
    """`source` looked up in `values`, else `default`, gives `column`."""

    source: str
    column: str
    values: Mapping[str, str]
    default: str


@dataclass(frozen=True)
class Contract:
    """A validated contract. `lookback_days` is at least 0; `on_drift` is one of ON_DRIFT;
    `order_column` tells, of two rows with one key, which is the newer where rows are merged."""

    columns: tuple[Column, ...]
    business_key: tuple[str, ...]
    rules: tuple[Rule, ...]
    timestamp: TimestampRule | None
    category: CategoryRule | None
    output: tuple[str, ...]
    lookback_days: int
    on_drift: str
    format: Format = JSON_LINES
    shapes: tuple[Shape, ...] = ()
    computed: tuple[Computed, ...] = ()
    partition_by: tuple[str, ...] = ()
    aggregate: Aggregate | None = None
    order_column: str | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(rule.reason for rule in self.rules)

    @property
    def output_types(self) -> Mapping[str, str]:
        """The columns that are published, in order, with their types as Glue spells them."""
        types = {**self.base_types, **{one.name: one.type for one in self.computed}}
        return {name: types[name] for name in self.output}

    @property
    def delivered_output(self) -> tuple[str, ...]:
        """The published columns that are delivered as they are."""
        delivered = {column.name for column in self.columns}
        return tuple(name for name in self.output if name in delivered)

    @property
    def base_types(self) -> Mapping[str, str]:
        """The columns that are there before any is computed."""
        types = {column.name: glue_type(column) for column in self.columns}
        if self.timestamp is not None:
            types |= {self.timestamp.column: "timestamp", self.timestamp.date_column: "date"}
        if self.category is not None:
            types[self.category.column] = "string"
        if self.format.unknown_columns == "keep":
            types[KEPT] = KEPT_TYPE
        return types

    @property
    def key_types(self) -> Mapping[str, str]:
        """The columns of the business key with their types."""
        types = self.output_types
        return {name: types[name] for name in self.business_key}


def glue_type(column: Column) -> str:
    """The type as Glue's catalogue spells it: bigint for integer, double for number, an array of structs."""
    if column.decimal is not None:
        return f"decimal({column.decimal[0]},{column.decimal[1]})"
    if column.formats:
        return "date"
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


class _Reader(PartsReader):
    """After a mistake the contract that it returns is thrown away."""

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
        self._refuse_others(extension, "'x-etl'", EXTENSION + OPTIONAL)
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
            timestamp=self._timestamp(extension["timestamp"]) if "timestamp" in extension else None,
            category=self._category(extension["category"]) if "category" in extension else None,
            output=self._texts(extension.get("output"), "x-etl.output"),
            lookback_days=lookback,
            on_drift=on_drift,
            format=self._format(extension["format"]) if "format" in extension else JSON_LINES,
            shapes=self._shapes(extension["shapes"]) if "shapes" in extension else (),
            computed=self._computed(extension["computed"], "x-etl.computed")
            if "computed" in extension
            else (),
            partition_by=self._some_texts(extension, "partitionBy", "x-etl"),
            aggregate=self._aggregate(extension["aggregate"]) if "aggregate" in extension else None,
            order_column=self._text(extension, "orderColumn", "x-etl")
            if "orderColumn" in extension
            else None,
        )
        if not self.mistakes:
            self.mistakes += find_wrong_names(contract, self._texts(schema.get("required"), "required"))
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
                more = {} if nested else {"number": "x-decimal", "string": "x-date"}
                own = more.get(kinds[0], "type")
                self._refuse_others(node, f"'{here}'", ("type", own))
                decimal = self._decimal(node[own], here) if own == "x-decimal" and own in node else None
                formats = self._some_texts(node, own, here) if own == "x-date" else ()
                columns.append(Column(name, kinds[0], (), decimal, formats))
        return tuple(columns)

    def _decimal(self, value: object, where: str) -> tuple[int, int] | None:
        if isinstance(value, list) and len(value) == 2 and is_decimal(*value):
            return value[0], value[1]
        demand = "[precision, scale] with 1 to 38 digits, of them at most all decimals"
        self.mistakes.append(f"'{where}.x-decimal' must be {demand}, got {_shown(value)}")
        return None

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
        formats = self._texts(node.get("formats"), f"{where}.formats")
        return TimestampRule(
            source, column, date_column, formats, self._some_texts(node, "dateFormats", where)
        )

    def _category(self, value: object) -> CategoryRule:
        where = "x-etl.category"
        node = self._object(value, f"'{where}'")
        values = self._object(node.get("values"), f"'{where}.values'")
        for name in values:
            self._text(values, name, f"{where}.values")
        source, column, default = (self._text(node, key, where) for key in ("source", "column", "default"))
        return CategoryRule(source, column, values, default)
