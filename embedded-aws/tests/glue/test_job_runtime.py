"""The runtime of a Glue script: its arguments, and one line with the reason of its failure."""

import bootstrap
import pytest
from awsglue.utils import GlueArgumentError, getResolvedOptions

from embedded_aws.glue.spark import process


def test_arguments_by_name() -> None:
    words = [
        "x.py",
        "--JOB_NAME",
        "j",
        "--flag",
        "--bucket",
        "b",
        "--run-id=7",
        "--text",
        "a b",
        "--unknown",
        "u",
    ]
    found = getResolvedOptions(words, ["bucket", "run-id", "text"])
    assert found == {"bucket": "b", "run_id": "7", "text": "a b", "JOB_NAME": "j"}


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(GlueArgumentError, match="--day, --hour"):
        getResolvedOptions(["x.py", "--day", "--other", "1"], ["day", "hour"])


JAVA = """An error occurred while calling o1.parquet.
: org.apache.spark.SparkException: Job aborted
\tat a.b.C(C.java:1)
Caused by: java.nio.file.AccessDeniedException: s3://b/k: 403
\t... 2 more"""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (ValueError("first\nsecond"), "ValueError: first"),
        (ValueError(), "ValueError: "),
        (
            RuntimeError(JAVA),
            "RuntimeError: An error occurred while calling o1.parquet. org.apache.spark.SparkException: "
            "Job aborted Caused by: java.nio.file.AccessDeniedException: s3://b/k: 403",
        ),
    ],
)
def test_one_line_gives_the_reason(error: Exception, expected: str) -> None:
    assert bootstrap.summary(error) == expected


def test_without_a_report_the_error_stream_is_read() -> None:
    trace = "Traceback (most recent call last):\n  File 'x'\n"
    stream = f"WARN x\n{trace}MemoryError: no more\n\tat a.b.C.d(C.java:1)\n"
    assert process.exception_line(stream) == "MemoryError: no more"
    assert process.exception_line("nothing of that kind\n") == ""
