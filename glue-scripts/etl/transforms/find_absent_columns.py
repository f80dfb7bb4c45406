"""Which optional columns a source no longer delivers."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from etl.contract import Contract


def find_absent_columns(judged: DataFrame, contract: Contract) -> tuple[str, ...]:
    """The delivered columns that no row has a value in, of the rows that are to be published (`reason` is
    null). The catalogue remembers a column for ever; the rows do not."""
    delivered = {column.name for column in contract.columns}
    names = [name for name in contract.output if name in delivered]
    counts = judged.agg(*(F.count(F.col(name)).alias(name) for name in names)).collect()[0]
    return tuple(name for name in names if counts[name] == 0)
