"""Reads the examples of docs/contracts.md: a contract, what is delivered, and what becomes of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plans import REPOSITORY

PAGE = (REPOSITORY / "docs" / "contracts.md").read_text("utf-8")
# Blocks that belong to an example, by the second word behind the fence.
KINDS = ("contract", "delivered", "crawled", "result", "published", "merged", "versions", "sums")
_BLOCK = re.compile(r"^```\w+ (?P<kind>\w+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CONTROLS = {0x2400 + code: code for code in range(32)}


@dataclass
class Example:
    """`heading` is the one above it. `delivered` are file names and contents, `blocks` the others by kind."""

    heading: str
    contract: dict[str, Any]
    delivered: dict[str, bytes] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)

    def lines(self, kind: str) -> list[str]:
        return self.blocks[kind].splitlines()


def read_examples() -> list[Example]:
    """The examples in the order of the page. The first has a whole contract, the others what they add."""
    examples: list[Example] = []
    for heading, kind, name, text in _blocks():
        if kind == "contract":
            fragment = json.loads(text)
            base = examples[0].contract if examples else fragment
            examples.append(Example(heading, _whole(base, fragment) if examples else fragment))
        elif kind == "delivered":
            example = examples[-1]
            format_ = example.contract["x-etl"].get("format", {"kind": "jsonLines"})
            ending = format_["kind"] if format_["kind"] in ("csv", "xml") else "json"
            place = name or f"{len(example.delivered) + 1}.{ending}"
            content = text.translate(_CONTROLS).encode(format_.get("encoding", "UTF-8"))
            assert place not in example.delivered, f"{heading}: {place} is there twice"
            example.delivered[place] = content
        else:
            assert kind not in examples[-1].blocks, f"{heading}: a second {kind} without a contract"
            examples[-1].blocks[kind] = text
    return examples


def _blocks() -> Iterator[tuple[str, str, str | None, str]]:
    headings = [(match.start(), match[1].replace("`", "")) for match in _HEADING.finditer(PAGE)]
    for block in _BLOCK.finditer(PAGE):
        assert block["kind"] in KINDS, f"a block of an unknown kind: {block[0]}"
        yield (
            [text for start, text in headings if start < block.start()][-1],
            block["kind"],
            block["name"],
            block["text"],
        )


def _whole(base: Mapping[str, Any], fragment: Mapping[str, Any]) -> dict[str, Any]:
    """The base with the parts of a fragment in their place. It publishes all columns, and has the rules that
    it needs, unless the fragment says otherwise."""
    contract = {**base, **fragment}
    if "properties" in fragment:
        contract["properties"] = {"id": base["properties"]["id"], **fragment["properties"]}
    added = fragment.get("x-etl", {})
    properties = contract["properties"]
    timestamp = added.get("timestamp", {})
    category = added.get("category", {})
    reasons = list(base["x-etl"]["reasons"])
    if any({"enum", "minimum", "maximum", "exclusiveMinimum"} & one.keys() for one in properties.values()):
        reasons.append({"reason": "not_allowed", "rule": "notAllowed"})
    if timestamp:
        rule = {"reason": "invalid_time", "rule": "notATimestamp", "column": timestamp["source"]}
        reasons.append(rule)
    made = [timestamp.get("column"), timestamp.get("dateColumn"), category.get("column")]
    keeps = added.get("format", {}).get("unknownColumns") == "keep"
    sources = added.get("sources", {}).values()
    of_sources = [name for source in sources for name in source.get("properties", {})]
    made.append(added.get("sourceColumn"))
    output = [*properties, *of_sources, *filter(None, made), *added.get("computed", {})]
    contract["x-etl"] = {
        **base["x-etl"],
        "reasons": reasons,
        "output": output + ["unknown_columns"] * keeps,
        **added,
    }
    return contract


def expression_types() -> list[tuple[str, str, str]]:
    """The rows of the table of types: an expression, its type in a computed column, and its type in a
    condition ("" where it is not allowed)."""
    table = PAGE.partition("| in `customSql` ")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(.+?)` +\| (\S+) +\| (\S+) +\|$", table, re.MULTILINE)
    return [(text.replace("\\|", "|"), made, asked.strip("\u2013")) for text, made, asked in rows]
