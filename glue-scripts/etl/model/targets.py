"""The tables that the models of a run make."""

from collections.abc import Sequence
from dataclasses import dataclass

from etl import io
from etl.errors import InvalidArguments
from etl.model.models import Model, load_models
from etl.run.arguments import Arguments
from etl.run.catalogue import PartitionedTable, open_table


@dataclass(frozen=True)
class Target:
    """A model, the place of its table, and the table in the catalogue, if there is one."""

    model: Model
    location: str
    table: PartitionedTable | None = None


def open_targets(arguments: Arguments) -> Sequence[Target]:
    """The targets of a run; empty without models. Raises PlanRefused, and StorageError where the catalogue
    has no such table; InvalidArguments where a model's table lies in the place of another one."""
    asked = arguments.models
    if asked is None:
        return []
    targets = []
    for model in load_models(io.read_text(asked.uri), asked.uri):
        location = f"{asked.root}{model.name}/"
        if arguments.curated is not None and arguments.curated.startswith(location):
            raise InvalidArguments(
                f"the model {model.name} and the aggregate have the same place, {location}: rename the model"
            )
        table = None if asked.database is None else open_table(asked.database, model.name, (model.by,))
        targets.append(Target(model, location, table))
    return targets
