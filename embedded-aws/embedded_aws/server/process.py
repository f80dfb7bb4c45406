"""The embedded AWS: MiniStack, extended in-process by this package, as one server process.

It listens on 127.0.0.1 only, over TLS, with IAM enforced. It keeps everything in ``--state``, so that the
next start resumes on any free port. One JSON line on standard output says that it is ready and how to reach
it; everything else goes to ``<logs>/aws.log``. It ends on SIGTERM, on SIGINT, and when its standard input
ends because the process that started it is gone. Then it also ends every job run that it started.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_aws.core.settings import TRUST_STORE_PASSWORD, Settings, SparkFiles
from embedded_aws.server.certificates import CertificateError, TlsMaterial, tls_material
from embedded_aws.wire.lost_answers import LostAnswers
from embedded_aws.wire.repeated_calls import RepeatedCalls

KEEP_ALIVE_SECONDS = 24 * 3600
"""Longer than any client keeps an idle connection (Terraform 90 s, Java 60 s). If the server closes one while
a request arrives, the request may be carried out without an answer, and the caller repeats it."""
_READY_SECONDS = 60.0
_GRACE_SECONDS = 1.0
_GOODBYE_SECONDS = 40.0


def main() -> int:
    arguments = _arguments()
    ready_output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    arguments.logs.mkdir(parents=True, exist_ok=True)
    try:
        listener = _listen(arguments.port)
        tls = tls_material(arguments.tls)
    except (OSError, CertificateError) as error:
        print(f"embedded AWS: {error}", file=sys.stderr)
        return 2
    settings = _settings(arguments, listener.getsockname()[1], tls)
    _use_scratch_folder(settings.state / "tmp")
    _log_to(arguments.logs / "aws.log")
    _configure_ministack(settings, tls, arguments.wait_scale)
    try:
        asyncio.run(_serve(settings, listener, tls, ready_output, arguments))
    except Exception:
        logging.getLogger("embedded-aws").exception("the server failed")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    def folder(text: str) -> Path:
        return Path(text).resolve()

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--state", type=folder, required=True, help="folder of the server's state")
    parser.add_argument("--tls", type=folder, required=True, help="folder of the certificates")
    parser.add_argument(
        "--jars", type=folder, required=True, help="folder of the jars that Spark needs for S3"
    )
    parser.add_argument("--spark4-python", type=Path, help="the Python that has PySpark 4, for Glue 6.0")
    parser.add_argument("--jdbc-drivers", type=folder, help="folder of the JDBC drivers that Glue has")
    parser.add_argument("--spark4-jars", type=folder, help="folder of the jars that Spark 4 needs for S3")
    parser.add_argument(
        "--logs", type=folder, required=True, help="folder of aws.log and of the job runs' output"
    )
    parser.add_argument(
        "--account", default="000000000000", help="the account's 12 digits; default: %(default)s"
    )
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument(
        "--wait-scale", type=float, default=0.02, help="length of a state machine's waits, as a fraction"
    )
    parser.add_argument(
        "--job-minute-seconds",
        type=float,
        default=60.0,
        help="length of a minute of a job's time-out, in seconds",
    )
    parser.add_argument(
        "--metric-minute-seconds",
        type=float,
        default=60.0,
        help="length of a minute of an alarm's periods and suppressors, in seconds",
    )
    parser.add_argument("--trace", type=folder, help="file to append IAM's decisions to")
    parser.add_argument("--deaths", type=folder, help="file that says when which job runs are killed")
    parser.add_argument(
        "--lose-answers",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the calls that are carried out and get no answer, 0 to 0.9",
    )
    parser.add_argument("--lose-answers-seed", type=int, default=0, help="choose which calls get no answer")
    parser.add_argument(
        "--schedule-clock",
        type=_instant,
        help="time that schedules see at the start, as YYYY-MM-DDThh:mm:ssZ; default: the real time",
    )
    arguments = parser.parse_args()
    if not arguments.metric_minute_seconds > 0:
        parser.error("--metric-minute-seconds must be more than 0")
    if not 0 <= arguments.lose_answers <= 0.9:
        parser.error(f"--lose-answers must be from 0 to 0.9, got {arguments.lose_answers:g}")
    if (arguments.spark4_python is None) != (arguments.spark4_jars is None):
        parser.error("--spark4-python and --spark4-jars go together")
    return arguments


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a Z or an offset")
    return instant.astimezone(UTC)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise OSError(f"port {port} of 127.0.0.1 is taken; choose another one with --port") from error
    listener.listen(256)
    return listener


def _settings(arguments: argparse.Namespace, port: int, tls: TlsMaterial) -> Settings:
    key_id, secret = _root_credentials(arguments.state)
    return Settings(
        endpoint=f"https://127.0.0.1:{port}",
        account=arguments.account,
        region=arguments.region,
        state=arguments.state,
        jars=arguments.jars,
        logs=arguments.logs,
        ca_bundle=tls.ca,
        trust_store=tls.trust_store,
        trust_store_password=TRUST_STORE_PASSWORD,
        access_key_id=key_id,
        secret_access_key=secret,
        seconds_per_minute=arguments.job_minute_seconds,
        jdbc_drivers=arguments.jdbc_drivers,
        spark4=_spark4(arguments.spark4_python, arguments.spark4_jars),
        trace=arguments.trace,
        deaths=arguments.deaths,
        schedule_clock=arguments.schedule_clock,
        metric_minute_seconds=arguments.metric_minute_seconds,
    )


def _spark4(python: Path | None, jars: Path | None) -> SparkFiles | None:
    # Links are not resolved: Python recognises a virtual environment by the link.
    return SparkFiles(python.absolute(), jars) if python and jars else None


def _root_credentials(state: Path) -> tuple[str, str]:
    """The account owner's keys. They are made once and kept in the state, readable by this user only."""
    state.mkdir(parents=True, exist_ok=True)
    file = state / "root-credentials.json"
    if file.is_file():
        kept = json.loads(file.read_text(encoding="utf-8"))
        return str(kept["accessKeyId"]), str(kept["secretAccessKey"])
    key_id, secret = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as output:
        json.dump({"accessKeyId": key_id, "secretAccessKey": secret}, output)
    return key_id, secret


def _use_scratch_folder(folder: Path) -> None:
    """Put temporary files in the state, so that the next start removes those of a killed server."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)


def _log_to(file: Path) -> None:
    """Redirect standard output and error, also of processes that MiniStack starts, to the log file."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _configure_ministack(settings: Settings, tls: TlsMaterial, wait_scale: float) -> None:
    """Set MiniStack's environment, which it reads while it is imported, without variables of the caller."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "MINISTACK_", "S3_", "SFN_", "LOCALSTACK_", "GLUE_", "IOT_", "SFTP_")):
            del os.environ[name]
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(settings.port),
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(tls.certificate),
            "MINISTACK_SSL_KEY": str(tls.key),
            "MINISTACK_ACCOUNT_ID": settings.account,
            "MINISTACK_REGION": settings.region,
            "MINISTACK_HOST": "localhost",
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": settings.access_key_id,
            "AWS_SECRET_ACCESS_KEY": settings.secret_access_key,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(settings.state / "services"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(settings.state / "s3"),
            "SFN_WAIT_SCALE": str(wait_scale),
            "LOG_LEVEL": "INFO",
            # Listeners on further ports, not needed here.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
    )


async def _serve(
    settings: Settings,
    listener: socket.socket,
    tls: TlsMaterial,
    ready_output: Any,
    arguments: argparse.Namespace,
) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from embedded_aws.core import emulator, snapshots
    from embedded_aws.glue.sessions import credentials
    from embedded_aws.server import behaviours

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not stop.is_set():
            stop.set()
            threading.Thread(target=_leave_at_last, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    threading.Thread(
        target=_watch_standard_input, args=(lambda: loop.call_soon_threadsafe(end),), daemon=True
    ).start()

    once = RepeatedCalls(emulator.module("app").app)
    extended = behaviours.install(settings)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile, config.keyfile = str(tls.certificate), str(tls.key)
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    # Most of AWS uses HTTP/1.1. Over HTTP/2, Hypercorn closes a connection after a number of requests while
    # others are still waiting: their answers are lost, and the caller repeats them.
    config.alpn_protocols = ["http/1.1"]
    # By default Hypercorn closes a connection after a thousand requests, even if its client is using it.
    config.keep_alive_max_requests = sys.maxsize
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    lossy = LostAnswers(once, arguments.lose_answers, arguments.lose_answers_seed)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if await snapshots.save_when_asked(scope, send):
            return
        if not await credentials.give_when_asked(settings, scope, receive, send):
            await lossy(scope, receive, send)

    threading.Thread(target=_say_when_ready, args=(settings, ready_output), daemon=True).start()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({server, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not stopped.done():
        server.result()  # raises the server's failure
    # A client that keeps its connection and does not read would delay the end by half a minute.
    await asyncio.wait({server}, timeout=_GRACE_SECONDS)
    await asyncio.to_thread(extended.close)
    os._exit(0)  # without waiting for the threads of running executions


def _leave_at_last() -> None:
    time.sleep(_GOODBYE_SECONDS)
    os._exit(1)


def _watch_standard_input(end: Callable[[], object]) -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    end()


def _say_when_ready(settings: Settings, ready_output: Any) -> None:
    context = ssl.create_default_context(cafile=str(settings.ca_bundle))
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            url = f"{settings.endpoint}/_ministack/health"
            with urllib.request.urlopen(url, timeout=5, context=context) as answer:  # noqa: S310 - our own https
                answer.read()
            break
        except OSError:
            time.sleep(0.05)
    else:
        os._exit(1)
    line = {
        "ready": True,
        "endpoint": settings.endpoint,
        "caBundle": str(settings.ca_bundle),
        "accessKeyId": settings.access_key_id,
        "secretAccessKey": settings.secret_access_key,
    }
    try:
        ready_output.write(json.dumps(line) + "\n")
        ready_output.close()
    except OSError:
        pass
