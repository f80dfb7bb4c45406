"""Plans for tests: contracts and rules as they are written, compiled by the compiler itself."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from etl.ingest.contract import Contract
from etl.ingest.load_plan import load_plan
from etl.run.load_quality import quality_of
from etl.run.quality import Quality

REPOSITORY = Path(__file__).parents[2]
# Rules of a contract without rules: nothing is asked of its rows.
NOTHING = json.dumps(
    {"threshold": 0, "rules": [{"name": "any", "type": "rowCount", "atLeast": 0, "action": "warn"}]}
)


class NotCompiledError(Exception):
    """The mistakes of a contract or of its rules."""


@cache
def _compiler() -> subprocess.Popen[str]:
    """One process for all tests; it ends with them, when its input ends."""
    command = ["node", "node_modules/ts-node/dist/bin.js", "--swc", "__tests__/support/compile-plans.ts"]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


@cache
def plan_of(contract: str, quality: str = NOTHING) -> str:
    """The text of the plan of a contract and rules, given as texts. Raises NotCompiledError."""
    return _asked({"contract": json.loads(contract), "quality": json.loads(quality)})


@cache
def mart_of(mart: str, selects: tuple[tuple[str, str], ...]) -> str:
    """The plan of a mart; `selects` are the texts of its SELECTs by table. Raises NotCompiledError."""
    return _asked({"mart": json.loads(mart), "selects": dict(selects)})


def _asked(question: Mapping[str, Any]) -> str:
    compiler = _compiler()
    assert compiler.stdin is not None
    assert compiler.stdout is not None
    compiler.stdin.write(json.dumps(question) + "\n")
    compiler.stdin.flush()
    answer = json.loads(compiler.stdout.readline())
    if "mistakes" in answer:
        raise NotCompiledError("; ".join(answer["mistakes"]))
    plan: str = answer["plan"]
    return plan


def contract_of_text(contract: str) -> Contract:
    """The contract as the job loads it, of the first source."""
    return load_plan(plan_of(contract), "the plan")[0].contract


def contract_of_document(document: dict[str, Any]) -> Contract:
    return contract_of_text(json.dumps(document))


def contract_of_columns(columns: Mapping[str, Any]) -> Contract:
    """A contract of rows with these columns and the key `id`. Its reasons are for lines without an object,
    rows without a key, and values of a wrong type."""
    return contract_of_document(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {"id": {"type": "integer"}, **columns},
            "required": ["id"],
            "x-etl": {
                "businessKey": ["id"],
                "lookbackDays": 0,
                "reasons": [
                    {"reason": "malformed", "rule": "notAnObject"},
                    {"reason": "missing_id", "rule": "missing", "column": "id"},
                    {"reason": "wrong_type", "rule": "wrongType"},
                ],
                "output": ["id", *columns],
            },
        }
    )


def rules_of_text(quality: str, columns: Mapping[str, str], reasons: Sequence[str]) -> Quality:
    """Rules over these columns (types as Glue spells them), without a contract."""
    question = {"quality": json.loads(quality), "columns": dict(columns), "reasons": list(reasons)}
    return quality_of(json.loads(_asked(question), parse_float=Decimal))


def put_plan(folder: Path, contract: Path, quality: Path) -> str:
    """Writes the plan of two files into a folder, and gives its path."""
    plan = folder / "plan.json"
    plan.write_text(plan_of(contract.read_text("utf-8"), quality.read_text("utf-8")), "utf-8")
    return str(plan)


def model_of(declaration: Path) -> dict[str, Any]:
    """A model of two files, as the compiler writes it."""
    declared = json.loads(declaration.read_text("utf-8"))
    name = declaration.name.removesuffix(".model.json")
    return {
        "name": name,
        "source": declared["inputs"][0],
        "by": declared["recomputeBy"],
        "key": declared["key"],
        "columns": [{"name": one, "type": column["type"]} for one, column in declared["columns"].items()],
        "sql": declaration.with_name(f"{name}.sql").read_text("utf-8"),
    }
