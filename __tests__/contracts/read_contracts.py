"""How the job reads contracts, for a test that holds the synth to it.

Reads a list of texts from standard input; writes what the job says of each, "" where it takes it."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "glue-scripts"))

from etl.errors import InvalidContract
from etl.ingest.parse_contract import parse_contract


def refusal_of(text: str) -> str:
    try:
        parse_contract(text, "c")
    except InvalidContract as error:
        return str(error).removeprefix("c: ")
    return ""


if __name__ == "__main__":
    json.dump([refusal_of(text) for text in json.load(sys.stdin)], sys.stdout)
