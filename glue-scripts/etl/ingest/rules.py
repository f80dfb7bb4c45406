"""Loads the contract and the quality rules of a run, and checks that its arguments fit them."""

from dataclasses import dataclass

from etl import io
from etl.errors import InvalidArguments
from etl.ingest.contract import Contract
from etl.ingest.load_plan import load_plan
from etl.ingest.sources import Sources
from etl.run.arguments import Arguments
from etl.run.quality import Quality
from etl.write.iceberg_tables import CHANGES, MERGE


@dataclass(frozen=True)
class Rules:
    """The sources with their contracts, and the rules that the rows must meet."""

    sources: Sources
    quality: Quality

    @property
    def contract(self) -> Contract:
        """The parts that are the same for all sources: the key, the rules, the output."""
        return self.sources.contract


def read_rules(arguments: Arguments) -> Rules:
    """Raises PlanRefused, or InvalidArguments where the plan does not fit the arguments."""
    sources, quality = load_plan(io.read_text(arguments.plan_uri), arguments.plan_uri)
    contract = sources.contract
    if (contract.aggregate is None) != (arguments.curated is None):
        has = "no" if contract.aggregate is None else "an"
        raise InvalidArguments(
            "--curated_bucket and --curated_prefix say where an aggregate goes, "
            f"and the contract of {arguments.plan_uri} has {has} aggregate"
        )
    _check_write_mode(arguments, contract)
    return Rules(sources, quality)


def _check_write_mode(arguments: Arguments, contract: Contract) -> None:
    """Raises InvalidArguments where a merge would lose rows, or cannot tell the latest row of a key, and
    where mode and contract do not agree about versions."""
    if (arguments.write_mode == CHANGES) != (contract.changes is not None):
        has = "no" if contract.changes is None else "an"
        raise InvalidArguments(
            f"--write_mode 'changes' and x-etl.changes go together: got '{arguments.write_mode}', and the "
            f"contract of {arguments.plan_uri} has {has} x-etl.changes"
        )
    if arguments.write_mode != MERGE:
        return
    if contract.aggregate is not None:
        raise InvalidArguments(
            f"--write_mode 'merge' takes rows from dates that the contract of {arguments.plan_uri} has added "
            "up (x-etl.aggregate): rebuild, or append, or leave the aggregate to a query"
        )
    declared, given = contract.order_column, arguments.order_column
    if declared is None and given is None:
        raise InvalidArguments(
            "--write_mode 'merge' needs to know which row of a key is the latest: the contract of "
            f"{arguments.plan_uri} has no x-etl.orderColumn, and --order_column is missing ('run_date' means "
            "by delivery)"
        )
    if declared is not None and given is not None and declared != given:
        raise InvalidArguments(
            f"--order_column '{given}' is not '{declared}', the x-etl.orderColumn of the contract of "
            f"{arguments.plan_uri}"
        )
    orders = ["run_date", *(name for name, type_ in contract.output_types.items() if "<" not in type_)]
    if given is not None and given not in orders:
        raise InvalidArguments(f"--order_column must be one of {', '.join(orders)}, got '{given}'")
