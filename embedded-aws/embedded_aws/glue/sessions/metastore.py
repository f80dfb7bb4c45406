"""Shows the Data Catalog to Spark as a Hive metastore, which is how Spark SQL sees it on Glue.

AWS builds its client of the Data Catalog into Glue's Spark; no registry has it. Spark's own client speaks
Thrift, so this server does too. Each call becomes a call of Glue with the session's credentials, so that a
role needs the same rights as on AWS. Tables can be read. Changes are refused, except those of Iceberg, whose
own client calls Glue.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-data-catalog-hive.html
"""

import contextlib
import fnmatch
import logging
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import botocore.exceptions
from pymetastore.hive_metastore import ThriftHiveMetastore
from pymetastore.hive_metastore.ttypes import (
    Database,
    FieldSchema,
    GetAllFunctionsResponse,
    GetTableResult,
    GetTablesResult,
    MetaException,
    NoSuchObjectException,
    Partition,
    PrincipalType,
    SerDeInfo,
    StorageDescriptor,
    Table,
)
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

DEFAULT = "default"
"""Spark's current database at the start. Spark makes it if it is missing: here it is never missing."""
GLOBAL_TEMP = "global_temp"
"""Spark keeps global views under this name, and asks first that no database has it. It never has one."""
_OWNER = "hadoop"
_logger = logging.getLogger("embedded-aws.metastore")


class Metastore:
    """A Thrift server on a free port of 127.0.0.1, until :meth:`close`."""

    def __init__(self, glue: Any) -> None:
        """``glue`` is a client of Glue with the session's credentials."""
        processor = ThriftHiveMetastore.Processor(_readable(_Catalogue(glue)))

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                socket = TSocket()
                socket.setHandle(self.request)
                protocol = TBinaryProtocol(TBufferedTransport(socket))
                with contextlib.suppress(TTransportException, OSError):
                    while True:
                        processor.process(protocol, protocol)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="metastore", daemon=True).start()

    @property
    def uri(self) -> str:
        """The value of `hive.metastore.uris`."""
        return f"thrift://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _readable(catalogue: "_Catalogue") -> Any:
    """The handler of all calls: those that read, and a refusal for every other one."""
    handler = ThriftHiveMetastore.Iface()
    for name in (name for name in dir(ThriftHiveMetastore.Iface) if not name.startswith("_")):
        own = getattr(catalogue, name, None)
        setattr(handler, name, _spoken(own) if own else _refusal(name))
    return handler


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(*_arguments: Any) -> Any:
        _logger.info("refused %s", name)
        raise MetaException(
            f"{name} is not supported here: a session changes only Iceberg tables of the Data Catalog. "
            "Deploy other tables, or write files with df.write.parquet('s3://…')"
        )

    return refuse


def _spoken(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, with errors of AWS as Hive's own: Spark shows their message."""

    def answer(*arguments: Any) -> Any:
        try:
            return call(*arguments)
        except botocore.exceptions.ClientError as error:
            message = str(error.response["Error"].get("Message", error))
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                raise NoSuchObjectException(message) from error
            raise MetaException(f"{error.response['Error']['Code']}: {message}") from error
        except botocore.exceptions.BotoCoreError as error:
            raise MetaException(f"the Data Catalog does not answer: {error}") from error

    return answer


class _Catalogue:
    """Glue's answers as Hive's. The names are those of Hive's interface, hive_metastore.thrift."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue
        self._told: set[str] = set()

    def _tell_once(self, database: str, error: botocore.exceptions.ClientError) -> None:
        """Spark asks for the database before every table. A role that may read only the table can do so."""
        if database not in self._told:
            self._told.add(database)
            message = error.response["Error"]["Message"]
            print(f"note: Glue's own Spark would refuse this: {message}", file=sys.stderr, flush=True)

    # -- the service --

    def set_ugi(self, user_name: str, group_names: list[str]) -> list[str]:
        del user_name
        return group_names

    def getMetaConf(self, key: str) -> str:  # noqa: N802 - Hive's name
        del key
        return ""

    def get_config_value(self, name: str, defaultValue: str) -> str:  # noqa: N803 - Hive's name
        del name
        return defaultValue

    def get_all_functions(self) -> GetAllFunctionsResponse:
        return GetAllFunctionsResponse(functions=[])

    def get_functions(self, dbName: str, pattern: str) -> list[str]:  # noqa: N803 - Hive's name
        del dbName, pattern
        return []

    def shutdown(self) -> None:
        """Each client says so at its end."""

    # -- databases --

    def get_database(self, name: str) -> Database:
        if name == GLOBAL_TEMP:
            raise NoSuchObjectException(f"Database {name} not found")
        try:
            return _database(self._glue.get_database(Name=name)["Database"])
        except botocore.exceptions.ClientError as error:
            if name == DEFAULT:
                return _database({"Name": DEFAULT})
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            self._tell_once(name, error)
            return _database({"Name": name})

    def get_all_databases(self) -> list[str]:
        return sorted({DEFAULT, *(one["Name"] for one in self._pages("get_databases", "DatabaseList"))})

    def get_databases(self, pattern: str) -> list[str]:
        return _meeting(pattern, self.get_all_databases())

    # -- tables --

    def get_table(self, dbname: str, tbl_name: str) -> Table:
        return _table(self._glue.get_table(DatabaseName=dbname, Name=tbl_name)["Table"])

    def get_table_req(self, req: Any) -> GetTableResult:
        return GetTableResult(table=self.get_table(req.dbName, req.tblName))

    def get_table_objects_by_name(self, dbname: str, tbl_names: list[str]) -> list[Table]:
        wanted = {name.lower() for name in tbl_names}
        return [_table(one) for one in self._tables(dbname) if one["Name"] in wanted]

    def get_table_objects_by_name_req(self, req: Any) -> GetTablesResult:
        return GetTablesResult(tables=self.get_table_objects_by_name(req.dbName, req.tblNames or []))

    def get_all_tables(self, db_name: str) -> list[str]:
        return [one["Name"] for one in self._tables(db_name)]

    def get_tables(self, db_name: str, pattern: str) -> list[str]:
        return _meeting(pattern, self.get_all_tables(db_name))

    def get_tables_by_type(
        self,
        db_name: str,
        pattern: str,
        tableType: str,  # noqa: N803 - Hive's name
    ) -> list[str]:
        names = [one["Name"] for one in self._tables(db_name) if _kind(one) == tableType]
        return _meeting(pattern, names)

    # -- partitions --

    def get_partitions(self, db_name: str, tbl_name: str, max_parts: int) -> list[Partition]:
        found = self._pages("get_partitions", "Partitions", DatabaseName=db_name, TableName=tbl_name)
        partitions = [_partition(one) for one in found]
        return partitions if max_parts < 0 else partitions[:max_parts]

    def get_partitions_with_auth(
        self, db_name: str, tbl_name: str, max_parts: int, user_name: str, group_names: list[str]
    ) -> list[Partition]:
        del user_name, group_names
        return self.get_partitions(db_name, tbl_name, max_parts)

    def get_partitions_by_filter(
        self, db_name: str, tbl_name: str, filter: str, max_parts: int
    ) -> list[Partition]:
        """All partitions. Spark filters them itself, because a metastore may return more than asked."""
        del filter
        return self.get_partitions(db_name, tbl_name, max_parts)

    def get_partitions_ps(
        self, db_name: str, tbl_name: str, part_vals: list[str], max_parts: int
    ) -> list[Partition]:
        """Those with the given first values; an empty value stands for any."""
        found = [
            one
            for one in self.get_partitions(db_name, tbl_name, -1)
            if all(asked in ("", value) for asked, value in zip(part_vals, one.values, strict=False))
        ]
        return found if max_parts < 0 else found[:max_parts]

    def get_partitions_ps_with_auth(
        self,
        db_name: str,
        tbl_name: str,
        part_vals: list[str],
        max_parts: int,
        user_name: str,
        group_names: list[str],
    ) -> list[Partition]:
        del user_name, group_names
        return self.get_partitions_ps(db_name, tbl_name, part_vals, max_parts)

    def get_partition(self, db_name: str, tbl_name: str, part_vals: list[str]) -> Partition:
        place = {"DatabaseName": db_name, "TableName": tbl_name, "PartitionValues": part_vals}
        return _partition(self._glue.get_partition(**place)["Partition"])

    def get_partition_with_auth(
        self, db_name: str, tbl_name: str, part_vals: list[str], user_name: str, group_names: list[str]
    ) -> Partition:
        del user_name, group_names
        return self.get_partition(db_name, tbl_name, part_vals)

    def get_partitions_by_names(self, db_name: str, tbl_name: str, names: list[str]) -> list[Partition]:
        keys = self._keys(db_name, tbl_name)
        return [one for one in self.get_partitions(db_name, tbl_name, -1) if _name(keys, one.values) in names]

    def get_partition_names(self, db_name: str, tbl_name: str, max_parts: int) -> list[str]:
        return self.get_partition_names_ps(db_name, tbl_name, [], max_parts)

    def get_partition_names_ps(
        self, db_name: str, tbl_name: str, part_vals: list[str], max_parts: int
    ) -> list[str]:
        keys = self._keys(db_name, tbl_name)
        found = self.get_partitions_ps(db_name, tbl_name, part_vals, max_parts)
        return [_name(keys, one.values) for one in found]

    def _keys(self, database: str, table: str) -> list[str]:
        return [key.name for key in self.get_table(database, table).partitionKeys]

    def _tables(self, database: str) -> Iterator[dict[str, Any]]:
        if database == DEFAULT and DEFAULT not in self._declared():
            return iter(())
        return self._pages("get_tables", "TableList", DatabaseName=database)

    def _declared(self) -> set[str]:
        return {one["Name"] for one in self._pages("get_databases", "DatabaseList")}

    def _pages(self, call: str, member: str, **asked: str) -> Iterator[dict[str, Any]]:
        for page in self._glue.get_paginator(call).paginate(**asked):
            yield from page[member]


def _meeting(pattern: str, names: list[str]) -> list[str]:
    """Hive's patterns: `*` stands for any text, `|` separates choices."""
    choices = [choice.lower() for choice in (pattern or "*").replace(".*", "*").split("|")]
    return [name for name in names if any(fnmatch.fnmatchcase(name, choice) for choice in choices)]


def _name(keys: list[str], values: list[str]) -> str:
    return "/".join(f"{key}={quote(value, safe='')}" for key, value in zip(keys, values, strict=True))


def _database(found: dict[str, Any]) -> Database:
    return Database(
        name=found["Name"],
        description=found.get("Description", ""),
        locationUri=found.get("LocationUri") or f"s3://{found['Name']}-has-no-location/",
        parameters=found.get("Parameters") or {},
        ownerName=_OWNER,
        ownerType=PrincipalType.USER,
    )


def _kind(found: dict[str, Any]) -> str:
    return found.get("TableType") or "EXTERNAL_TABLE"


def _table(found: dict[str, Any]) -> Table:
    return Table(
        tableName=found["Name"],
        dbName=found["DatabaseName"],
        owner=found.get("Owner") or _OWNER,
        createTime=_seconds(found.get("CreateTime")),
        lastAccessTime=_seconds(found.get("LastAccessTime")),
        retention=found.get("Retention", 0),
        sd=_storage(found.get("StorageDescriptor") or {}),
        partitionKeys=[_column(one) for one in found.get("PartitionKeys") or []],
        parameters=found.get("Parameters") or {},
        viewOriginalText=found.get("ViewOriginalText"),
        viewExpandedText=found.get("ViewExpandedText"),
        tableType=_kind(found),
    )


def _partition(found: dict[str, Any]) -> Partition:
    return Partition(
        values=found["Values"],
        dbName=found["DatabaseName"],
        tableName=found["TableName"],
        createTime=_seconds(found.get("CreationTime")),
        lastAccessTime=_seconds(found.get("LastAccessTime")),
        sd=_storage(found.get("StorageDescriptor") or {}),
        parameters=found.get("Parameters") or {},
    )


def _storage(found: dict[str, Any]) -> StorageDescriptor:
    serde = found.get("SerdeInfo") or {}
    return StorageDescriptor(
        cols=[_column(one) for one in found.get("Columns") or []],
        location=found.get("Location", ""),
        inputFormat=found.get("InputFormat"),
        outputFormat=found.get("OutputFormat"),
        compressed=found.get("Compressed", False),
        numBuckets=found.get("NumberOfBuckets", -1),
        serdeInfo=SerDeInfo(
            name=serde.get("Name"),
            serializationLib=serde.get("SerializationLibrary"),
            parameters=serde.get("Parameters") or {},
        ),
        bucketCols=found.get("BucketColumns") or [],
        sortCols=[],
        parameters=found.get("Parameters") or {},
    )


def _column(found: dict[str, Any]) -> FieldSchema:
    return FieldSchema(name=found["Name"], type=found.get("Type", ""), comment=found.get("Comment"))


def _seconds(moment: Any) -> int:
    return int(moment.timestamp()) if moment else 0
