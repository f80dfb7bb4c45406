"""Runs a script with a Spark session as `spark`: the code on the command line, else that on standard input.

Ends with the script's exit code, and with 1 after an exception.
"""

import os
import sys
import traceback


def main() -> int:
    named = sys.argv[1:]
    name, code = ("<-c>", named[0]) if named else ("<stdin>", sys.stdin.read())
    if not code.strip():
        print("the script is empty: nothing was run", file=sys.stderr)
        return 2
    try:
        script = compile(code, name, "exec")
    except SyntaxError:
        traceback.print_exc(limit=0)  # before Spark starts
        return 1

    from pyspark.sql import SparkSession

    sys.argv = [name]
    spark = SparkSession.builder.getOrCreate()
    try:
        names = {"__name__": "__main__", "spark": spark, "sc": spark.sparkContext, "sql": spark.sql}
        exec(script, names)  # noqa: S102 - the user's own script
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:
        _print_without_frames_of_this_file(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        sys.stdout.flush()
        spark.stop()
    return 0


def _print_without_frames_of_this_file(error: BaseException) -> None:
    frames = error.__traceback__
    traceback.print_exception(type(error), error, frames.tb_next if frames else None)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code) if code == 130 else sys.exit(code)
