"""Runs one Glue script in this process, with Spark's JVM started at once so that it boots while Python
imports.

Started by the embedded AWS with one argument, a JSON file that says what to run; never by hand. Two
promises: when the server is gone (its end of the lifeline pipe closes) this process and its JVM are gone
too, and whatever exception ends the script is written to the report, because the last lines of a Spark error
stream are stack frames.
"""

import json
import logging
import os
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

GATEWAY_SECONDS = 60.0
ARCHIVE_SECONDS = 90.0


def follow_the_server(lifeline: int) -> None:
    """Ends this process group when the server's end of the pipe closes."""

    def wait() -> None:
        while os.read(lifeline, 1):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


class Gateway:
    """The JVM that PySpark talks to, started before anybody asks for it."""

    def __init__(self, command: list[str], connection: Path) -> None:
        self._connection = connection
        environment = {**os.environ, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(connection)}
        # The JVM ends when its standard input does, so it cannot outlive this process.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)

    def announce(self) -> None:
        """Waits for the JVM and tells PySpark where it listens. Raises RuntimeError when it does not come
        up.
        """
        deadline = time.monotonic() + GATEWAY_SECONDS
        while not self._connection.is_file():
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"Java ended with exit code {self.process.returncode} before Spark was ready"
                )
            if time.monotonic() > deadline:
                raise RuntimeError("Java was not ready within a minute")
            time.sleep(0.02)
        with self._connection.open("rb") as info:
            port = int.from_bytes(info.read(4), "big", signed=True)
            length = int.from_bytes(info.read(4), "big", signed=True)
            os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
            os.environ["PYSPARK_GATEWAY_SECRET"] = info.read(length).decode("utf-8")

    def end(self) -> None:
        """Ends the JVM at once; there is nothing left for it to do."""
        self.process.kill()
        self.process.wait()

    def end_with_archive(self, made: Path, wanted: Path) -> None:
        """Lets the JVM end by itself, which writes the archive of its classes, and puts that in place of
        older ones.
        """
        if self.process.stdin:
            self.process.stdin.close()
        try:
            code = self.process.wait(timeout=ARCHIVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            return
        if code == 0 and made.is_file():
            beside = wanted.with_suffix(f".{os.getpid()}")
            shutil.copyfile(made, beside)
            for old in wanted.parent.glob("classes-*.jsa"):
                old.unlink(missing_ok=True)
            beside.replace(wanted)


def use(gateway: Gateway) -> None:
    """PySpark connects to the JVM that is already starting instead of starting one through a shell script."""
    import pyspark.context
    import pyspark.java_gateway

    launch: Any = pyspark.java_gateway.launch_gateway

    def launch_prepared(*arguments: Any, **keywords: Any) -> Any:
        gateway.announce()
        return launch(*arguments, **keywords)

    pyspark.java_gateway.launch_gateway = launch_prepared
    vars(pyspark.context)["launch_gateway"] = launch_prepared


def summary(error: BaseException) -> str:
    """One line: the exception's type and what it says, with the root cause of a Java error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    java = next((line[1:].strip() for line in lines if line.startswith(": ")), "")
    causes = [line for line in lines if line.startswith("Caused by: ")]
    worker = [line for line in lines if "Error: " in line or "Exception: " in line]
    for more in (java, causes[-1] if causes else "", worker[-1] if worker and not java else ""):
        if more and more not in text:
            text = f"{text} {more}"
    return f"{type(error).__name__}: {text}"[:4000]


def stop_spark() -> bool:
    """Ends the script's Spark context, as the end of an application does; says whether there was one."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is not None:
        context.stop()
    logging.disable(logging.CRITICAL)  # objects that are collected from here on have no JVM to tell
    return context is not None


def run(script: str, arguments: list[str], report: Path) -> int:
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if ended.code in (None, 0):
            return 0
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        report.write_text(json.dumps({"error": f"SystemExit: {ended.code}"}), encoding="utf-8")
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:
        traceback.print_exc()
        report.write_text(json.dumps({"error": summary(error)}), encoding="utf-8")
        return 1
    return 0


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    follow_the_server(plan["lifeline"])
    gateway = Gateway(plan["java"], Path(plan["connection"]))
    use(gateway)
    code = run(plan["script"], plan["arguments"], Path(plan["report"]))
    sys.stdout.flush()
    used = stop_spark()
    sys.stderr.flush()
    if plan["archive"] and used and code == 0:
        gateway.end_with_archive(*(Path(file) for file in plan["archive"]))
    else:
        gateway.end()
    os._exit(code)  # a thread that a script left behind must not keep the run alive


if __name__ == "__main__":
    main()
