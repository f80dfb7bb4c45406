"""Models: tables made by one SELECT over the published table, recomputed for the dates that a run touches.

Nothing is judged again here. `contracts/models.ts` writes the text, with every default."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from etl.errors import PlanRefused

MODELS_VERSION = 1
_ADVICE = "compile the models again with the release that this job is of"


@dataclass(frozen=True)
class Model:
    """The table `name`, which `sql` makes of the rows of `source`, the published table.

    `by` is a date column of both tables, and a partition key of both: what the model says of a date follows
    from the rows of that date alone. `key` are the columns that no two rows share. `columns` are all of the
    table, with their types as Glue spells them."""

    name: str
    source: str
    by: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    sql: str


def load_models(text: str, name: str) -> tuple[Model, ...]:
    """The models of a text; `name` says whose text it is. Raises PlanRefused for a text of another version,
    and for one that holds no models."""
    try:
        document = json.loads(text)
        version = document.get("modelsVersion")
    except (ValueError, AttributeError) as error:
        raise PlanRefused(f"{name} holds no models ({error}): {_ADVICE}") from error
    if version != MODELS_VERSION:
        raise PlanRefused(f"{name} has version {version}, and this job reads {MODELS_VERSION}: {_ADVICE}")
    try:
        return tuple(
            Model(
                name=one["name"],
                source=one["source"],
                by=one["by"],
                key=tuple(one["key"]),
                columns={column["name"]: column["type"] for column in one["columns"]},
                sql=one["sql"],
            )
            for one in document["models"]
        )
    except (KeyError, TypeError) as error:
        raise PlanRefused(f"{name} does not hold whole models ({error!r}): {_ADVICE}") from error
