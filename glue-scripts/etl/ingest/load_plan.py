"""Loads the plan of a run: its contract and its quality rules, judged and compiled at synth.

Nothing is judged again here. `contracts/plan.ts` writes the plan, with every default."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from etl.errors import PlanRefused
from etl.ingest.contract import (
    Aggregate,
    Bounds,
    CategoryRule,
    Changes,
    CleanUp,
    Column,
    Computed,
    Contract,
    Dms,
    Format,
    Given,
    Moments,
    NumberForm,
    Pattern,
    Proof,
    Rule,
    Shape,
    Source,
    TimestampRule,
    Words,
)
from etl.ingest.sources import DeliverySource, Sources
from etl.run.load_quality import quality_of
from etl.run.quality import MILLION, Quality

PLAN_VERSION = 4
_ADVICE = "compile the contract again with the release that this job is of"

Node = Mapping[str, Any]


def load_plan(text: str, name: str) -> tuple[Sources, Quality]:
    """The sources with the contract, and the rules of a plan. Raises PlanRefused for a plan of another
    version, and for a text that is not a plan; `name` says whose text it is."""
    try:
        plan = json.loads(text, parse_float=Decimal)
        version = plan.get("planVersion")
    except (ValueError, AttributeError) as error:
        raise PlanRefused(f"{name} is not a plan ({error}): {_ADVICE}") from error
    if version != PLAN_VERSION:
        raise PlanRefused(f"{name} has version {version}, and this job reads {PLAN_VERSION}: {_ADVICE}")
    try:
        return sources_of(plan["contract"]), quality_of(plan["quality"])
    except (KeyError, TypeError) as error:
        raise PlanRefused(f"{name} is not a whole plan ({error!r}): {_ADVICE}") from error


def sources_of(node: Node) -> Sources:
    sources = tuple(_source(one, node) for one in node["sources"])
    return Sources(sources, node["sourceColumn"], node["unknownSources"])


def _source(source: Node, node: Node) -> DeliverySource:
    return DeliverySource(
        name=source["name"] or "",
        contract=_contract(source, node),
        folder=source["folder"],
        endings=tuple(source["endings"]),
        layout=source["layout"],
        unknown_folders=source["unknownFolders"],
        when_missing=source["whenMissing"],
        table=source["table"] or "",
    )


def _contract(source: Node, node: Node) -> Contract:
    """Joins what the source says with what the contract says for all."""
    aggregate = node["aggregate"]
    return Contract(
        columns=tuple(map(_column, source["columns"])),
        business_key=tuple(node["businessKey"]),
        rules=tuple(
            Rule(one["reason"], one["rule"], one["column"], tuple(one["columns"])) for one in node["reasons"]
        ),
        timestamp=None if node["timestamp"] is None else _timestamp(node["timestamp"]),
        category=None if node["category"] is None else _category(node["category"]),
        output=tuple(one["name"] for one in node["output"]),
        lookback_days=node["lookbackDays"],
        on_drift=node["onDrift"],
        format=_format(source["format"]),
        shapes=tuple(map(_shape, source["shapes"])),
        computed=_computed(node["computed"]),
        partition_by=tuple(node["partitionBy"]),
        aggregate=None
        if aggregate is None
        else Aggregate(tuple(aggregate["groupBy"]), _computed(aggregate["columns"])),
        order_column=node["orderColumn"],
        given=tuple(Given(one["name"], one["type"], one["value"]) for one in source["given"]),
        dropped=tuple(map(tuple, node["dropped"])),
        changes=None if node["changes"] is None else _changes(node["changes"]),
        dms=None if node["dms"] is None else _dms(node["dms"]),
    )


def _dms(node: Node) -> Dms:
    full_load, folders = node["fullLoad"], node["dateFolders"]
    return Dms(
        full_load_date=None if full_load is None else date.fromisoformat(full_load["date"]),
        date_sequence="" if folders is None else folders["sequence"],
        date_delimiter="" if folders is None else folders["delimiter"],
        load_lacks=() if full_load is None else tuple(full_load["lacks"]),
        load_values=() if full_load is None else tuple(full_load["values"].items()),
        added_columns=tuple(node["addedColumns"]),
    )


def _changes(node: Node) -> Changes:
    op, proof = node["op"], node["proof"]
    return Changes(
        delivery=node["delivery"],
        order=tuple(node["order"]),
        valid_from=node["validFrom"],
        compare=tuple(node["compare"]),
        proof=None if proof is None else _proof(proof),
        op_column=None if op is None else op["column"],
        op_values=() if op is None else tuple(op["values"]),
    )


def _proof(node: Node) -> Proof:
    by = node["provedBy"]
    if by == "floor":
        return Proof(by, share=int(node["share"] * MILLION))
    return Proof(by, node["file"], node["member"] if by == "count" else "")


def _format(node: Node) -> Format:
    if node["kind"] == "xml":
        return Format("xml", encoding=node["encoding"], row_tag=node["rowTag"])
    if node["kind"] != "csv":
        return Format(node["kind"])
    return Format(
        kind=node["kind"],
        delimiter=node["delimiter"],
        unknown_columns=node["unknownColumns"],
        is_multi_line=node["multiLine"],
        has_quotes=node["quote"] is not None,
        escape=node["escape"],
        encoding=node["encoding"],
        skip_top=node["skipTop"],
        skip_bottom=node["skipBottom"],
        comment=node["comment"],
        columns=tuple(node["columns"] or ()),
    )


def _shape(node: Node) -> Shape:
    sources = {
        one["delivered"]: Source(one["column"], tuple(map(_clean_up, one["clean"])))
        for one in node["sources"]
    }
    return Shape(node["name"], sources)


def _clean_up(step: str | Node) -> CleanUp:
    return CleanUp(step) if isinstance(step, str) else CleanUp("replace", step["replace"], step["with"])


def _column(node: Node) -> Column:
    """The plan gives a column the keys that its kind can have."""
    kind, name = node["kind"], node["name"]
    if kind == "object":
        return Column(name, kind, path=_path(node), accepts=tuple(node["accepts"]))
    if kind == "array":
        fields = tuple(Column(field["name"], field["kind"]) for field in node["fields"])
        return Column(name, kind, fields, entries=node["entries"] or "")
    moments = node["moments"] if kind == "string" else None
    decimal = node["decimal"] if kind == "number" else None
    return Column(
        name,
        kind,
        decimal=None if decimal is None else (decimal[0], decimal[1]),
        formats=tuple(node["dateFormats"]) if kind == "string" else (),
        moments=None if moments is None else _moments(moments),
        nulls=tuple(node.get("nulls", ())),
        number=NumberForm(**node["number"]) if "number" in node else NumberForm(),
        words=Words(tuple(node["words"]["true"]), tuple(node["words"]["false"]))
        if "words" in node
        else Words(),
        allowed=tuple(node.get("allowed", ())),
        bounds=_bounds(node["bounds"]) if "bounds" in node else Bounds(),
        path=_path(node) if "path" in node else (),
        is_count=node.get("isCount", False),
        accepts=tuple(node.get("accepts", ())),
        is_blank_null=node.get("isBlankNull", False),
    )


def _path(node: Node) -> tuple[str | int, ...]:
    """The path; () where it is the column's own name."""
    path = tuple(node["path"])
    return () if path == (node["name"],) else path


def _bounds(node: Node) -> Bounds:
    return Bounds(node["minimum"], node["maximum"], node["exclusiveMinimum"], node["exclusiveMaximum"])


def _moments(node: Node) -> Moments:
    patterns = tuple(Pattern(one["pattern"], one["hasZone"]) for one in node["patterns"])
    return Moments(patterns, node["timeZone"], node["ambiguous"], node["nonexistent"])


def _timestamp(node: Node) -> TimestampRule:
    return TimestampRule(
        node["source"], node["column"], node["dateColumn"], _moments(node), tuple(node["dateFormats"])
    )


def _category(node: Node) -> CategoryRule:
    return CategoryRule(node["source"], node["column"], dict(node["values"]), node["default"])


def _computed(nodes: Sequence[Node]) -> tuple[Computed, ...]:
    return tuple(Computed(one["name"], one["expression"], one["type"]) for one in nodes)
