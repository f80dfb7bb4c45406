"""The database behind a Glue connection, and one session with it that lasts for the run.

The URL is the connection's, the credentials are those of its secret. On AWS a certificate of the connection
is trusted in place of Java's trust store, on the driver and on each worker."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from etl import io
from etl.clients import client
from etl.errors import SourceUnavailable
from etl.extract.columns import literal
from etl.extract.document import Extract
from etl.session import root_cause

DRIVER = "org.postgresql.Driver"
_SCHEME = "jdbc:postgresql://"


@dataclass(frozen=True)
class Database:
    """A database, and who reads it. `connection` is the name in Glue; `certificate` is the PEM text of the
    authority that signed the server's certificate, "" to let Java's trust store decide."""

    connection: str
    url: str
    user: str
    password: str = field(repr=False)
    certificate: str = field(default="", repr=False)

    @property
    def jdbc_url(self) -> str:
        """The URL for the driver, for which settings of the URL win over those beside it: with a certificate
        of its own, the URL must not name Java's trust store."""
        if not self.certificate:
            return self.url
        server, _, settings = self.url.partition("?")
        kept = [one for one in settings.split("&") if not one.startswith("sslfactory=")]
        return f"{server}?{'&'.join(kept)}"

    def properties(self, application: str) -> dict[str, str]:
        """The settings of the driver beside those of the URL."""
        trusted = (
            {
                "sslfactory": "org.postgresql.ssl.SingleCertValidatingFactory",
                "sslfactoryarg": self.certificate,
            }
            if self.certificate
            else {}
        )
        return {
            "user": self.user,
            "password": self.password,
            "ApplicationName": application,
            "tcpKeepAlive": "true",
            **trusted,
        }


def find_database(connection: str) -> Database:
    """Looks up the connection, its secret and its certificate. Raises SourceUnavailable.

    https://docs.aws.amazon.com/glue/latest/dg/connection-properties.html"""
    try:
        found = client("glue").get_connection(Name=connection, HidePassword=True)["Connection"]
        properties = found["ConnectionProperties"]
        secret = client("secretsmanager").get_secret_value(SecretId=properties["SECRET_ID"])
        credentials = json.loads(secret["SecretString"])
        user, password = credentials["username"], credentials["password"]
    except Exception as error:
        # Neither message holds a value of the secret.
        text = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else "no JSON"
        raise SourceUnavailable(
            f"connection {connection}: its settings or its secret cannot be read: {text}"
        ) from error
    url = properties["JDBC_CONNECTION_URL"]
    if not url.startswith(_SCHEME):
        raise SourceUnavailable(f"connection {connection}: {url} is not a database of PostgreSQL")
    certificate = properties.get("CUSTOM_JDBC_CERT", "")
    return Database(connection, url, user, password, io.read_text(certificate) if certificate else "")


class Session:
    """A session that reads everything at one point in time, and lends that point to other sessions."""

    def __init__(self, database: Database, jconnection: Any, extract: Extract) -> None:
        self._database = database
        self._jconnection = jconnection
        zone = f"set local time zone {literal(extract.time_zone)}"
        # It waits while others read.
        self._run(f"set transaction isolation level repeatable read, read only; {zone}")
        self._run("set local idle_in_transaction_session_timeout = 0")
        self.init_statement = f"set time zone {literal(extract.time_zone)}"
        if extract.is_consistent:
            [(snapshot,)] = self.rows("select pg_export_snapshot()")
            self.init_statement = (
                "set transaction isolation level repeatable read, read only; "
                f"set transaction snapshot {literal(str(snapshot))}; {zone}"
            )

    def rows(self, sql: str, place: str = "") -> list[tuple[str | None, ...]]:
        """The answer, every value as text. Raises SourceUnavailable naming the connection and the place."""
        with self._named(place):
            statement = self._jconnection.createStatement()
            try:
                answer = statement.executeQuery(sql)
                width = range(1, answer.getMetaData().getColumnCount() + 1)
                rows = []
                while answer.next():
                    rows.append(tuple(answer.getString(at) for at in width))
                return rows
            finally:
                statement.close()

    def _run(self, sql: str) -> None:
        with self._named(""):
            statement = self._jconnection.createStatement()
            try:
                statement.execute(sql)
            finally:
                statement.close()

    @contextmanager
    def _named(self, place: str) -> Iterator[None]:
        try:
            yield
        except Py4JJavaError as error:
            raise unavailable(self._database, place, cause_of(error)) from error


@contextmanager
def open_session(
    spark: SparkSession, database: Database, extract: Extract, application: str
) -> Iterator[Session]:
    """A session with the database; it ends with the block. Raises SourceUnavailable."""
    jvm: Any = spark.sparkContext._jvm
    settings = jvm.java.util.Properties()
    for name, value in database.properties(application).items():
        settings.setProperty(name, value)
    try:
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        driver = loader.loadClass(DRIVER).newInstance()
        jconnection = driver.connect(database.jdbc_url, settings)
        jconnection.setAutoCommit(False)
    except Py4JJavaError as error:
        raise unavailable(database, "", cause_of(error)) from error
    try:
        yield Session(database, jconnection, extract)
    finally:
        jconnection.close()


def unavailable(database: Database, place: str, cause: str) -> SourceUnavailable:
    at = f"connection {database.connection}{f', table {place}' if place else ''}"
    server = database.url.partition("?")[0].removeprefix("jdbc:")
    return SourceUnavailable(f"{at}: {server} cannot be read: {cause}; nothing was written")


def cause_of(error: Py4JJavaError) -> str:
    """One line: the message of the innermost cause, which is that of the certificate, the socket or the
    database."""
    texts: Sequence[str] = []
    cause = error.java_exception
    while cause is not None:
        message = cause.getMessage()
        texts = [*texts, str(message).strip().splitlines()[0]] if message else texts
        cause = cause.getCause()
    if not texts:
        return root_cause(error)
    first, last = texts[0], texts[-1]
    return first if last in first else f"{first} ({last})"
