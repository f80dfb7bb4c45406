"""Runs one Glue script in this process, with a Java process that was started earlier.

Java was started together with this process, so that it boots while Python imports, or has served other runs.
The embedded AWS starts this file with one argument, a JSON file that says what to run. When the server is
gone (its end of the lifeline pipe closes), this process and its Java end too. An exception that ends the
script is written to the report, because the last lines of a Spark error stream are stack frames.
"""

import contextlib
import gc
import json
import logging
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

GATEWAY_SECONDS = 60.0
OWN_PROPERTIES = ("spark.", "aws.")
SUBMITTED = "spark.submit."


def follow_the_server(lifeline: int, java_group: int) -> None:
    """End Java and this process group when the server's end of the pipe closes."""

    def wait() -> None:
        while os.read(lifeline, 1):
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(java_group, signal.SIGKILL)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


class Java:
    """The Java process of this run, without anything from earlier runs."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._view: Any = None

    def announce(self) -> None:
        """Wait until it listens and tell PySpark its port. Raises RuntimeError if it does not start."""
        connection, ended = Path(self._plan["connection"]), Path(self._plan["ended"])
        deadline = time.monotonic() + GATEWAY_SECONDS
        while not connection.is_file():
            if ended.is_file():
                code = ended.read_text(encoding="utf-8")
                raise RuntimeError(f"Java ended with exit code {code} before Spark was ready")
            if time.monotonic() > deadline:
                raise RuntimeError("Java was not ready within a minute")
            time.sleep(0.02)
        with connection.open("rb") as info:
            port = int.from_bytes(info.read(4), "big", signed=True)
            length = int.from_bytes(info.read(4), "big", signed=True)
            os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
            os.environ["PYSPARK_GATEWAY_SECRET"] = info.read(length).decode("utf-8")

    def furnish(self, view: Any) -> None:
        """Give it the settings, keys and streams of this run."""
        self._view = view
        self._clear_properties()
        for name, value in self._plan["properties"].items():
            view.java.lang.System.setProperty(name, value)
        self._write_to(*(view.java.io.FileOutputStream(self._plan[one], True) for one in ("output", "error")))

    def clear(self) -> None:
        """Remove this run's settings, and report it. Otherwise this Java serves no further run."""
        if self._view is not None:
            self._forget()
        Path(self._plan["cleared"]).touch()

    def _forget(self) -> None:
        gc.collect()  # Java releases the objects that Python releases
        self._view.org.apache.hadoop.fs.FileSystem.closeAll()  # they hold keys and settings of this run
        self._clear_properties()
        streams = self._view.java.io.FileDescriptor
        self._write_to(*(self._view.java.io.FileOutputStream(one) for one in (streams.out, streams.err)))

    def _clear_properties(self) -> None:
        system = self._view.java.lang.System
        for name in list(system.getProperties().stringPropertyNames()):
            if name.startswith(OWN_PROPERTIES) and not name.startswith(SUBMITTED):
                system.clearProperty(name)

    def _write_to(self, output: Any, error: Any) -> None:
        system, stream = self._view.java.lang.System, self._view.java.io.PrintStream
        system.setOut(stream(output, True))
        system.setErr(stream(error, True))


def use(java: Java) -> None:
    """Let PySpark connect to this Java instead of starting one through a shell script."""
    import pyspark.context
    import pyspark.java_gateway

    launch: Any = pyspark.java_gateway.launch_gateway

    def launch_prepared(*arguments: Any, **keywords: Any) -> Any:
        java.announce()
        gateway = launch(*arguments, **keywords)
        java.furnish(gateway.jvm)
        return gateway

    pyspark.java_gateway.launch_gateway = launch_prepared
    vars(pyspark.context)["launch_gateway"] = launch_prepared


def summary(error: BaseException) -> str:
    """One line: the exception's type and message, with the root cause of a Java error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    java = next((line[1:].strip() for line in lines if line.startswith(": ")), "")
    causes = [line for line in lines if line.startswith("Caused by: ")]
    worker = [line for line in lines if "Error: " in line or "Exception: " in line]
    for more in (java, causes[-1] if causes else "", worker[-1] if worker and not java else ""):
        if more and more not in text:
            text = f"{text} {more}"
    return f"{type(error).__name__}: {text}"[:4000]


def stop_spark() -> None:
    """Stop the script's Spark context, as at the end of an application."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is not None:
        context.stop()


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
    java = Java(plan["java"])
    follow_the_server(plan["lifeline"], plan["java"]["group"])
    use(java)
    code = run(plan["script"], plan["arguments"], Path(plan["report"]))
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        stop_spark()
        java.clear()
    except Exception:
        # The run's outcome is already known. This Java is not given to another run.
        logging.getLogger(__name__).exception("Java could not be cleared")
    os._exit(code)  # a thread that a script left behind must not keep the run alive


if __name__ == "__main__":
    main()
