"""Opens a Spark session on a running embedded AWS: PySpark's shell, a script, or any command whose Python
has no Spark of its own, such as Jupyter.

It takes the place of Glue's interactive sessions, whose statements run behind an API. The session is
configured as a job run is, and has the Data Catalog besides. It acts with the credentials of its own
environment.
https://docs.aws.amazon.com/glue/latest/dg/interactive-sessions-overview.html
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import boto3

from embedded_aws.core.settings import TRUST_STORE_PASSWORD, Settings, SparkFiles
from embedded_aws.glue.sessions.metastore import Metastore
from embedded_aws.glue.spark.installed import SPARK_OF_GLUE, Spark, SparkMissingError, java, spark_for
from embedded_aws.glue.spark.java import DRIVER_MEMORY, RUNTIME, aws_environment
from embedded_aws.glue.spark.process import S3A_REGION, spark_values

SESSION_RUNTIME = Path(__file__).resolve().parent / "session-runtime"
_KILL_AFTER_SECONDS = 15.0
_CATALOGUES = ("spark_catalog", "glue_catalog")
_OWN_VARIABLES = ("AWS_", "SPARK_", "PYSPARK_", "PYTHONPATH", "PYTHONHOME", "HADOOP_", "HIVE_")
"""The caller's variables that start with these are not passed on."""
_JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC"
"""As in java.py: most statements are too short for the better compiler."""
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def main() -> int:
    arguments = _arguments()
    settings = _settings(arguments)
    try:
        spark = spark_for(arguments.glue_version, settings, "iceberg")
        java()
    except SparkMissingError as error:
        print(f"session: {error}", file=sys.stderr)
        return 2
    glue = boto3.client("glue", endpoint_url=settings.endpoint, verify=str(settings.ca_bundle))
    metastore = Metastore(glue)
    folder = Path(tempfile.mkdtemp(prefix="session-")).resolve()
    try:
        _write_configuration(folder, spark, settings, metastore.uri, is_shown=arguments.mode == "shell")
        environment = _environment(folder, spark, settings, arguments.python or spark.python)
        return _run(_command(arguments, spark), environment, arguments.lifeline)
    finally:
        _await_java(folder)
        metastore.close()
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="the address of the embedded AWS")
    parser.add_argument("--tls", type=Path, required=True, help="its folder of certificates")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--glue-version", choices=SPARK_OF_GLUE, default="5.1")
    parser.add_argument("--jars", type=Path, required=True, help="folder of the jars that Spark needs for S3")
    parser.add_argument("--spark4-python", type=Path, help="the Python that has PySpark 4, for Glue 6.0")
    parser.add_argument("--spark4-jars", type=Path, help="folder of the jars that Spark 4 needs for S3")
    parser.add_argument("--python", type=Path, help="the Python of `run`; default: the one that has PySpark")
    parser.add_argument("--lifeline", type=int, help="file descriptor that closes when the session must end")
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("shell", help="PySpark's shell")
    script = modes.add_parser("script", help="a script, by default that on standard input")
    script.add_argument("--code", help="the script itself")
    modes.add_parser("run", help="a command").add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def _settings(arguments: argparse.Namespace) -> Settings:
    """The settings of the server, as far as a session needs them."""
    tls = arguments.tls.resolve()
    spark4 = arguments.spark4_python and SparkFiles(
        arguments.spark4_python.absolute(), arguments.spark4_jars.resolve()
    )
    return Settings(
        endpoint=arguments.endpoint,
        account="",
        region=arguments.region,
        state=tls,
        jars=arguments.jars.resolve(),
        logs=tls,
        ca_bundle=tls / "ca.pem",
        trust_store=tls / "truststore.p12",
        trust_store_password=TRUST_STORE_PASSWORD,
        access_key_id="",
        secret_access_key="",
        seconds_per_minute=60.0,
        spark4=spark4,
    )


def _command(arguments: argparse.Namespace, spark: Spark) -> list[str]:
    if arguments.mode == "shell":
        return [str(spark.home / "bin" / "pyspark")]
    if arguments.mode == "script":
        code = [] if arguments.code is None else [arguments.code]
        return [str(spark.python), str(SESSION_RUNTIME / "run_script.py"), *code]
    return [word for word in arguments.command if word != "--"]


# -- Spark's settings --


def session_values(settings: Settings, spark: Spark, metastore: str, folder: Path) -> dict[str, str]:
    """Spark's settings of a session: those of a job run, Iceberg, and the Data Catalog."""
    iceberg = {
        f"spark.sql.catalog.{catalogue}.{name}": value
        for catalogue in _CATALOGUES
        for name, value in {
            "catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        }.items()
    }
    own = {
        S3A_REGION: settings.region,
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        # Iceberg's tables by its own client, all others by the metastore.
        "spark.sql.catalog.spark_catalog": "org.apache.iceberg.spark.SparkSessionCatalog",
        "spark.sql.catalog.glue_catalog": "org.apache.iceberg.spark.SparkCatalog",
        **iceberg,
    }
    trust = f'-Djavax.net.ssl.trustStore="{settings.trust_store}"'
    trust += f" -Djavax.net.ssl.trustStorePassword={settings.trust_store_password}"
    logging = f'-Dlog4j2.configurationFile="{RUNTIME / "log4j2.properties"}"'
    return {
        **spark_values(settings, spark.kind.credentials_in_environment, own),
        "spark.app.name": "session",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.extraJavaOptions": f'{trust} {logging} {_JAVA_OPTIONS} -Djava.io.tmpdir="{folder}"',
        "spark.hadoop.fs.s3a.buffer.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": metastore,
        "spark.hadoop.hive.exec.scratchdir": str(folder / "hive"),
        "spark.hadoop.hive.exec.local.scratchdir": str(folder / "hive"),
    }


def _write_configuration(
    folder: Path, spark: Spark, settings: Settings, metastore: str, is_shown: bool
) -> None:
    values = session_values(settings, spark, metastore, folder)
    values["spark.ui.showConsoleProgress"] = str(is_shown).lower()
    text = "".join(f"{name} {_escaped(value)}\n" for name, value in values.items())
    (folder / "spark-defaults.conf").write_text(text, encoding="utf-8")


def _escaped(value: str) -> str:
    """Java reads a backslash in a file of properties as the begin of an escape."""
    return value.replace("\\", "\\\\")


def _environment(folder: Path, spark: Spark, settings: Settings, python: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_VARIABLES)}
    credentials = {name: os.environ[name] for name in _CREDENTIALS if os.environ.get(name)}
    return {
        **kept,
        **credentials,
        **aws_environment(settings),
        "SPARK_HOME": str(spark.home),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DIST_CLASSPATH": f"{spark.s3_jars}/*",  # behind Spark's own jars, as in a job run
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),  # its sockets need a short path
        "TZ": "UTC",
        **({} if python == spark.python else {"PYTHONPATH": _libraries(spark)}),
    }


def _libraries(spark: Spark) -> str:
    """PySpark, for a Python that has none."""
    return ":".join(str(library) for library in sorted((spark.home / "python" / "lib").glob("*.zip")))


# -- running --


def _run(command: list[str], environment: dict[str, str], lifeline: int | None) -> int:
    """The exit code of the command, which ends before this process does. Ctrl-C is for the command."""
    signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which a new process would inherit
    process = subprocess.Popen(command, env=environment)
    end = _ending(process)
    signal.signal(signal.SIGTERM, lambda *_: end())
    signal.signal(signal.SIGHUP, lambda *_: end())
    if lifeline is not None:
        threading.Thread(target=_follow, args=(lifeline, end), name="lifeline", daemon=True).start()
    code = process.wait()
    return code if code >= 0 else 128 - code


def _await_java(folder: Path) -> None:
    """Wait until every Java of this session has cleaned up, which it does when its Python has ended."""
    deadline = time.monotonic() + _KILL_AFTER_SECONDS
    while found := _processes_that_name(folder):
        if time.monotonic() > deadline:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _processes_that_name(folder: Path) -> list[int]:
    """Those with the folder, which is of this session alone, in their command line. None without /proc."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"{folder}/".encode() in file.read_bytes():
                found.append(int(file.parent.name))
    return found


def _ending(process: subprocess.Popen[bytes]) -> Callable[[], None]:
    def kill_later() -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_AFTER_SECONDS)
        process.kill()

    def end() -> None:
        process.terminate()
        threading.Thread(target=kill_later, name="kill", daemon=True).start()

    return end


def _follow(lifeline: int, end: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        while os.read(lifeline, 1):
            pass
    end()
