"""The tables that a run writes to."""

from collections.abc import Mapping

from pyspark.sql import SparkSession

from etl.ingest.contract import Contract
from etl.run.arguments import Arguments
from etl.run.catalogue import PartitionedTable, open_table
from etl.write.iceberg_tables import MERGE, IcebergTable, open_iceberg
from etl.write.partitions import PARTITION

Tables = Mapping[str, PartitionedTable]


def open_iceberg_table(spark: SparkSession, arguments: Arguments, contract: Contract) -> IcebergTable | None:
    """The output if it is an Iceberg table, else None."""
    if not arguments.is_iceberg or arguments.output_table is None:
        return None
    order = (contract.order_column or arguments.order_column) if arguments.write_mode == MERGE else None
    keys = list(contract.partition_by)
    if contract.timestamp is not None and contract.timestamp.date_column in contract.output:
        keys.append(contract.timestamp.date_column)
    return open_iceberg(
        spark,
        arguments.output_table.database,
        arguments.output_table.name,
        location=arguments.output,
        types=contract.output_types,
        partition_by=keys,
        mode=arguments.write_mode,
        order=order,
        valid_from=None if contract.changes is None else contract.changes.valid_from,
    )


def open_tables(arguments: Arguments, contract: Contract) -> Tables:
    """The declared tables whose partitions are registered, by the location of their rows."""
    keys = (PARTITION, *contract.partition_by)
    output_table = None if arguments.is_iceberg else arguments.output_table
    declared = (
        (arguments.output, output_table, keys),
        (arguments.curated, arguments.curated_table, (PARTITION,)),
    )
    return {
        location: open_table(table.database, table.name, keys_of_table)
        for location, table, keys_of_table in declared
        if location is not None and table is not None
    }
