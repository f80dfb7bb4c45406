"""How the job reads quality files and expressions, for a test that holds the constructs to it.

Reads `{"files": [{"text", "columns": {name: kind}, "reasons": […]}, …], "expressions": [{"text",
"columns": […]}, …], "contract": text}` from standard input; writes `{"files": [mistakes or "", …],
"expressions": […], "contract": {"columns": [[name, Glue type], …], "reasons": […]}}`."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "glue-scripts"))

from etl.errors import InvalidQuality
from etl.ingest.parse_contract import parse_contract
from etl.run.expression import find_mistakes
from etl.run.quality import parse_quality


def refusal_of(file: dict[str, Any]) -> str:
    """The job's mistakes in a file; "" if it accepts it."""
    try:
        parse_quality(file["text"], "the file", file["columns"], file["reasons"])
    except InvalidQuality as error:
        return str(error)
    return ""


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    contract = parse_contract(asked["contract"], "the contract")
    answers = {
        "files": [refusal_of(file) for file in asked["files"]],
        "expressions": [
            "; ".join(find_mistakes(one["text"], one["columns"])) for one in asked["expressions"]
        ],
        "contract": {"columns": list(contract.output_types.items()), "reasons": contract.reasons},
    }
    json.dump(answers, sys.stdout)
