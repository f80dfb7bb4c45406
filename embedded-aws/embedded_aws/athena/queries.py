"""Runs Athena's queries: Trino's SQL over the catalogue's tables, with the rights of the caller.

https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

import contextlib
import contextvars
import json
import logging
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import duckdb

from embedded_aws.athena import relations, rewrites, views, workgroups
from embedded_aws.athena import results as athena_results
from embedded_aws.athena import sql as athena_sql
from embedded_aws.athena.catalogue import Catalogue, columns_of
from embedded_aws.athena.failures import QueryFailedError, ScanLimitError, of_engine
from embedded_aws.athena.files import Files
from embedded_aws.athena.partitions import keys_of
from embedded_aws.core import emulator, snapshots
from embedded_aws.core.settings import Settings
from embedded_aws.iam import roles

_BEHAVIOUR = "queries as Athena runs them"
_logger = logging.getLogger("embedded-aws.athena")
_engines: dict[str, duckdb.DuckDBPyConnection] = {}
"""The DuckDB connections of the running queries."""
_caller: contextvars.ContextVar[str] = contextvars.ContextVar("athena_caller", default="")
# Statements that MiniStack still runs in its own way.
_OTHERS = re.compile(
    r"\s*(insert|delete|update|merge|create|drop|alter|show|describe|desc|msck|explain|prepare|execute"
    r"|deallocate|unload|vacuum|optimize|analyze)\b",
    re.IGNORECASE,
)


def install(settings: Settings) -> Callable[[], None]:
    """Replace how queries start, run and answer."""
    request = ("method", "path", "headers", "body", "query_params")
    run = ("query_id", "query", "database", "ddl", "catalog")

    def execution(original: Any) -> Callable[..., Any]:
        async def execute_query(
            query_id: str, query: str, database: str, ddl: Any, catalog: Any = None
        ) -> None:
            if ddl is not None or _OTHERS.match(query) or str(catalog).lower().startswith("s3tablescatalog/"):
                await original(query_id, query, database, ddl, catalog)
                return
            held = emulator.service("athena")._executions.get(query_id)
            # This process answers the query's calls, so the query must not hold one of the loop's threads.
            work = contextvars.copy_context()
            thread = threading.Thread(target=work.run, args=(_Query(settings, held).execute,), daemon=True)
            thread.start()

        return execute_query

    name = "services.athena"
    emulator.replace(name, "handle_request", request, _with_caller, _BEHAVIOUR)
    emulator.replace(name, "_start_query_execution", ("data",), _start, _BEHAVIOUR)
    emulator.replace(name, "_execute_query", run, execution, _BEHAVIOUR)
    emulator.replace(name, "_stop_query_execution", ("data",), _stop, _BEHAVIOUR)
    emulator.replace(name, "_get_query_results", ("data",), lambda _: _results, _BEHAVIOUR)
    emulator.replace(name, "_delete_workgroup", ("data",), workgroups.deletion, _BEHAVIOUR)
    emulator.replace(name, "load_persisted_state", ("data",), _load, _BEHAVIOUR)
    return lambda: None


def _with_caller(original: Any) -> Callable[..., Any]:
    """Keep the caller's access key for the query that the request starts."""

    async def handle_request(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
        _caller.set(emulator.module("core.router").extract_access_key_id(headers, query_params) or "")
        return await original(method, path, headers, body, query_params)

    return handle_request


def _load(original: Any) -> Callable[..., Any]:
    def load_persisted_state(data: Any) -> Any:
        answer = original(data)
        for held in emulator.service("athena")._executions._data.values():
            if held["Status"]["State"] in ("QUEUED", "RUNNING"):
                _end(held, "FAILED", "The embedded AWS ended while this query was running")
        return answer

    return load_persisted_state


def _start(original: Any) -> Callable[..., Any]:
    def start_query_execution(data: dict[str, Any]) -> Any:
        athena = emulator.service("athena")
        group = data.get("WorkGroup") or "primary"
        try:
            configuration = workgroups.results_of(group, data.get("ResultConfiguration") or {})
            workgroups.verify_bucket(configuration, _caller.get())
        except workgroups.InvalidRequestError as error:
            return athena.error_response_json("InvalidRequestException", str(error), 400)
        answer = original({**data, "WorkGroup": group, "ResultConfiguration": configuration})
        if answer[0] == 200:
            held = athena._executions[json.loads(answer[2])["QueryExecutionId"]]
            held["ResultConfiguration"] = {**configuration, **held["ResultConfiguration"]}
            if data.get("ExecutionParameters"):
                held["ExecutionParameters"] = list(data["ExecutionParameters"])
        return answer

    return start_query_execution


def _stop(original: Any) -> Callable[..., Any]:
    """Interrupt the computation of a stopped query."""

    def stop_query_execution(data: dict[str, Any]) -> Any:
        answer = original(data)
        duck = _engines.get(str(data.get("QueryExecutionId")))
        if duck is not None:
            # It may have ended, and closed, between the two lines above.
            with contextlib.suppress(duckdb.ConnectionException):
                duck.interrupt()
        return answer

    return stop_query_execution


def _end(held: dict[str, Any], state: str, reason: str = "") -> None:
    """Record a query's end, unless it was stopped meanwhile."""
    status = held["Status"]
    if status["State"] == "CANCELLED":
        return
    if reason:
        status["StateChangeReason"] = reason
    if state == "FAILED":
        status["AthenaError"] = {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": reason}
    status["CompletionDateTime"] = time.time()
    status["State"] = state
    snapshots.changed()


class _Query:
    """One query, from its text to the object with its results."""

    def __init__(self, settings: Settings, held: dict[str, Any]) -> None:
        self._settings = settings
        self._held = held
        self._caller = _caller.get()
        self._started = time.monotonic()

    def execute(self) -> None:
        if self._held["Status"]["State"] == "QUEUED":
            self._held["Status"]["State"] = "RUNNING"
        folder = Path(tempfile.mkdtemp(prefix="athena-"))
        state, reason = "SUCCEEDED", ""
        try:
            self._run(folder)
        except QueryFailedError as error:
            state, reason = error.state, str(error)
        except duckdb.Error as error:
            state, reason = "FAILED", of_engine(str(error))
            _logger.info("query %s: %s", self._held["QueryExecutionId"], error)
        except Exception as error:
            _logger.exception("query %s could not be run", self._held["QueryExecutionId"])
            state, reason = "FAILED", f"GENERIC_INTERNAL_ERROR: {error}"
        finally:
            _engines.pop(self._held["QueryExecutionId"], None)
            shutil.rmtree(folder, ignore_errors=True)
        took = int((time.monotonic() - self._started) * 1000)
        statistics = self._held["Statistics"]
        statistics["EngineExecutionTimeInMillis"] = statistics["TotalExecutionTimeInMillis"] = took
        _end(self._held, state, reason)

    def _client(self, service: str) -> Any:
        return roles.client(self._settings, service, workgroups.credentials_of(self._caller))

    def _run(self, folder: Path) -> None:
        sql = str(self._held["Query"])
        sql = athena_sql.with_parameters(sql, self._held.get("ExecutionParameters") or [])
        query = athena_sql.parse(sql)
        database = self._held["QueryExecutionContext"].get("Database") or "default"
        catalogue = Catalogue(self._client("glue"))
        views.expand(query, database, catalogue)
        scans = athena_sql.scans_of(query, database)
        tables = {scan.name: catalogue.table(scan) for scan in scans}
        bound = athena_sql.bind(
            query,
            {name: columns_of(table) for name, table in tables.items()},
            {name: keys_of(table) for name, table in tables.items()},
        )
        s3 = self._client("s3")
        with duckdb.connect() as duck:
            _engines[self._held["QueryExecutionId"]] = duck
            duck.execute("SET TimeZone = 'UTC'")
            for macro in rewrites.MACROS:
                duck.execute(macro)
            files = Files(s3, folder)
            read = {
                scan: files.of(duck, scan, tables[scan.name], catalogue, bound.filters.get(scan.name, []))
                for scan in scans
            }
            self._count(
                sum(bound.times.get(scan.name, 1) * item.size for scan in scans for item in read[scan])
            )
            for scan, found in read.items():
                here = [(item, files.fetch(item)) for item in found]
                relations.create_view(duck, scan.name, tables[scan.name], here)
            self._answer(duck, bound)
        self._write(s3)

    def _count(self, scanned: int) -> None:
        limit = workgroups.scan_limit(self._held["WorkGroup"])
        self._held["Statistics"]["DataScannedInBytes"] = min(scanned, limit) if limit else scanned
        if limit and scanned > limit:
            raise ScanLimitError

    def _answer(self, duck: Any, bound: athena_sql.Bound) -> None:
        kinds = [row[1] for row in duck.execute(f"DESCRIBE {bound.duckdb}").fetchall()]
        sql = bound.duckdb
        if any("TIME ZONE" in kind for kind in kinds):  # Python would need another library for them
            named = ", ".join(f"c{place}" for place in range(len(kinds)))
            shown = ", ".join(
                f"strftime(c{place}, '%Y-%m-%d %H:%M:%S.%g UTC')" if "TIME ZONE" in kind else f"c{place}"
                for place, kind in enumerate(kinds)
            )
            sql = f"SELECT {shown} FROM ({sql}) AS answer({named})"  # noqa: S608 - the caller's query
        rows = [[athena_results.text(value) for value in row] for row in duck.execute(sql).fetchall()]
        info = [athena_results.column(name, kind) for name, kind in zip(bound.columns, kinds, strict=True)]
        self._held["_results"] = {"columns": bound.columns, "rows": rows, "info": info}
        self._held["_column_types"] = [entry["Type"] for entry in info]

    def _write(self, s3: Any) -> None:
        configuration = self._held["ResultConfiguration"]
        bucket, _, key = configuration["OutputLocation"].removeprefix("s3://").partition("/")
        results = self._held["_results"]
        header = ",".join(results["columns"]) + "\n" + ",".join(self._held["_column_types"])
        encryption = workgroups.encryption_of(configuration)
        body = athena_results.csv(results["columns"], results["rows"])
        try:
            for name, content in ((key, body), (f"{key}.metadata", header.encode())):
                s3.put_object(Bucket=bucket, Key=name, Body=content, **encryption)
        except botocore.exceptions.ClientError as error:
            _logger.info("query %s: %s", self._held["QueryExecutionId"], error)
            raise QueryFailedError(
                f"Access denied when writing output to url: s3://{bucket}/{key} . Please ensure you are "
                "allowed to access the S3 bucket. If you are encrypting query results with KMS key, please "
                "ensure you are allowed to access your KMS key"
            ) from error


def _results(data: dict[str, Any]) -> Any:
    athena = emulator.service("athena")

    def refuse(message: str, code: str = "InvalidRequestException") -> Any:
        return athena.error_response_json(code, message, 400)

    query_id, most = data.get("QueryExecutionId"), int(data.get("MaxResults") or 1000)
    held = athena._executions.get(query_id)
    if held is None:
        return refuse(f"QueryExecution {query_id} was not found")
    state = held["Status"]["State"]
    if state in ("QUEUED", "RUNNING"):
        return refuse(f"Query has not yet finished. Current state: {state}")
    if state != "SUCCEEDED":
        return refuse(f"Query did not finish successfully. Final query state: {state}")
    if not 1 <= most <= 1000:
        return refuse("MaxResults is more than maximum allowed length 1000")
    denied = workgroups.denied_results(held["ResultConfiguration"]["OutputLocation"], _caller.get())
    if denied:
        return refuse(denied, "AccessDeniedException")
    results = held.get("_results") or {"columns": [], "rows": []}
    page = athena_results.page(results, held.get("StatementType") == "DML", data.get("NextToken"), most)
    if page is None:
        return refuse("Malformed next token")
    answer: dict[str, Any] = {"ResultSet": page[0], "UpdateCount": 0}
    return athena.json_response({**answer, "NextToken": page[1]} if page[1] else answer)
