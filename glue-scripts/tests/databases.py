"""A real PostgreSQL for the tests of extracts: it listens on 127.0.0.1 only, and ends with the tests."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conftest import ROOT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from etl.extract.database import Database
from pyspark.sql import SparkSession

PROGRAMS = ROOT.parent / ".setup" / "postgres" / "bin"
OWNER, READER, PASSWORD = "owner", "reader", "only for tests"
NOBODY = 65_534  # PostgreSQL refuses to run as root
_READY_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """The server's folder and port. Its certificate is that of `certify`, if it has one."""

    folder: Path
    port: int
    spark: SparkSession

    def database(self, user: str = READER, password: str = PASSWORD, **others: str) -> Database:
        given = {"connection": "test-shop", "certificate": "", "options": "sslmode=disable"} | others
        url = f"jdbc:postgresql://localhost:{self.port}/postgres?{given.pop('options')}"
        return Database(given["connection"], url, user, password, given["certificate"])

    def run(self, *statements: str) -> None:
        """Runs statements as the owner, each in a transaction of its own."""
        with self.owned() as connection:
            for one in statements:
                connection.createStatement().execute(one)

    def ask(self, question: str) -> str:
        """The only value of the answer, in a session of its own."""
        with self.owned() as connection:
            answer = connection.createStatement().executeQuery(question)
            answer.next()
            return str(answer.getString(1))

    @contextmanager
    def owned(self) -> Iterator[Any]:
        jvm: Any = self.spark.sparkContext._jvm
        settings = jvm.java.util.Properties()
        settings.setProperty("user", OWNER)
        settings.setProperty("password", PASSWORD)
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        driver = loader.loadClass("org.postgresql.Driver").newInstance()
        connection = driver.connect(self.database().url, settings)
        try:
            yield connection
        finally:
            connection.close()

    def certify(self, first: datetime, last: datetime) -> str:
        """Gives the server a certificate of its own authority, valid for that time; the authority's is given
        back."""
        authority_key, server_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        now = datetime.now(UTC)
        authority = (
            _certificate(name, authority_key, now - timedelta(days=900), now + timedelta(days=900))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .issuer_name(name)
            .sign(authority_key, hashes.SHA256())
        )
        server = (
            _certificate(
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), server_key, first, last
            )
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .issuer_name(name)
            .sign(authority_key, hashes.SHA256())
        )
        data = self.folder / "data"
        pem = serialization.Encoding.PEM
        files = {
            "server.crt": server.public_bytes(pem),
            "server.key": server_key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        }
        for file, content in files.items():
            path = data / file
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
            _give(path)
        before = self.ask("select pg_conf_load_time()::text")
        self.run("alter system set ssl = on", "select pg_reload_conf()")
        while self.ask("select pg_conf_load_time()::text") == before:
            time.sleep(0.1)
        return authority.public_bytes(pem).decode()


def _certificate(
    subject: x509.Name, key: rsa.RSAPrivateKey, first: datetime, last: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


@contextmanager
def running(folder: Path, spark: SparkSession) -> Iterator[Server]:
    """The server, with the owner and a reader. `folder` is one that everybody may enter."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    _give(data)
    password = folder / "password"
    password.write_text(PASSWORD)
    _give(password)
    options = ["--auth-host=scram-sha-256", "--auth-local=reject", "--encoding=UTF8", "--locale=C"]
    _program("initdb", "-D", data, "-U", OWNER, f"--pwfile={password}", "--no-sync", *options)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [
            *(PROGRAMS / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1"),
            *("-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=30"),
        ],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        **_user(),
    )
    try:
        server = Server(folder, port, spark)
        _await(server, process)
        server.run(f"create role {READER} login in role pg_read_all_data password '{PASSWORD}'")
        yield server
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            server.run("select 1")
            return
        except Exception:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _program(name: str, *arguments: object) -> None:
    subprocess.run(
        [PROGRAMS / name, *map(str, arguments)], check=True, capture_output=True, cwd="/", **_user()
    )


def _user() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def _give(path: Path) -> None:
    if os.getuid() == 0:
        os.chown(path, NOBODY, NOBODY)
