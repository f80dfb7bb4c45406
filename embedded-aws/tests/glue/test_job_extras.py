"""Job runs with packages, jars, files, settings and connections of their own: a script for parcel tariffs."""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, S3A_REGION, Bench, make_role, statement
from job_ends import run_job

from embedded_aws.glue.spark import python_modules
from embedded_aws.glue.spark.python_modules import PythonModulesError

BUCKET = "parcel-tariffs"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
WHEEL = "code/parcel_zones-1.0-py3-none-any.whl"
SCRIPT = """
import importlib.util
import json
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

spark = SparkSession.builder.getOrCreate()
jars = spark._jvm.java.lang.Thread.currentThread().getContextClassLoader()
resource = jars.getResourceAsStream("parcels/surcharge.properties")
names = ("driver", "file", "jar", "zone")
seen = {"conf": spark.conf.get("spark.parcels.marker", "none"), **dict.fromkeys(names, "none")}
if resource is not None:
    properties = spark._jvm.java.util.Properties()
    properties.load(resource)
    seen["jar"] = properties.getProperty("bulky")
driver = jars.getResourceAsStream("ferries/driver.properties")
if driver is not None:
    properties = spark._jvm.java.util.Properties()
    properties.load(driver)
    seen["driver"] = properties.getProperty("version")
if Path("plan.json").is_file():
    seen["file"] = json.loads(Path("plan.json").read_text())["tariff"]
if importlib.util.find_spec("parcel_zones"):
    from parcel_zones import zone
    seen["zone"] = spark.createDataFrame([("FR",)], ["c"]).select(udf(zone)("c")).first()[0]
print(json.dumps(seen, sort_keys=True))
"""
NOTHING = {"conf": "none", "driver": "none", "file": "none", "jar": "none", "zone": "none"}
ALL = {"conf": "hot", "driver": "4.2", "file": "summer", "jar": "12.50", "zone": "zone of FR"}
OF_ALL = {
    "--conf": f"{S3A_REGION} --conf spark.parcels.marker=hot",
    "--extra-jars": f"s3://{BUCKET}/code/surcharge.jar",
    # The server keeps a file of this name too; it must not be the script's.
    "--extra-files": f"s3://{BUCKET}/code/plan.json",
    "--additional-python-modules": f"s3://{BUCKET}/{WHEEL}",
}


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without the time, so the bytes are the same
    return made.getvalue()


def wheel(name: str, code: str) -> bytes:
    about = f"{name}-1.0.dist-info"
    names = (f"{name}.py", f"{about}/METADATA", f"{about}/WHEEL", f"{about}/RECORD")
    files = {
        f"{name}.py": code,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "".join(f"{one},,\n" for one in names),
    }
    return zipped(**files)


@pytest.fixture(scope="module")
def parcels(bench: Bench) -> Iterator[Bench]:
    s3, glue = bench.client("s3"), bench.client("glue")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    objects = {
        "code/tariffs.py": SCRIPT.encode(),
        "code/surcharge.jar": zipped(**{"parcels/surcharge.properties": "bulky=12.50\n"}),
        "code/plan.json": json.dumps({"tariff": "summer"}).encode(),
        WHEEL: wheel("parcel_zones", "def zone(country):\n    return f'zone of {country}'\n"),
    }
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    glue.create_connection(
        ConnectionInput={"Name": "depots", "ConnectionType": "NETWORK", "ConnectionProperties": {}}
    )
    code = [f"arn:aws:s3:::{BUCKET}/{key}" for key in objects]
    logs = statement(["logs:*"], ["*"])
    connect = statement(["glue:GetConnection"], [f"{GLUE}:catalog", f"{GLUE}:connection/*"])
    rights = {
        "tariffs": [statement(["s3:GetObject"], code), logs, connect],
        "unconnected": [statement(["s3:GetObject"], code), logs],
        "jarless": [statement(["s3:GetObject"], [one for one in code if "jar" not in one]), logs, connect],
        "wheelless": [statement(["s3:GetObject"], [one for one in code if "whl" not in one]), logs, connect],
    }
    for name, statements in rights.items():
        role = make_role(bench, f"job-{name}", "glue.amazonaws.com", statements)
        glue.create_job(Name=name, **job(role))
    role = f"arn:aws:iam::{ACCOUNT}:role/job-tariffs"
    glue.create_job(Name="spark4", **job(role, GlueVersion="6.0"))
    bare = {"--conf": S3A_REGION}
    glue.create_job(Name="plain", **job(role, DefaultArguments=bare, Connections={}))
    glue.create_job(Name="connected", **job(role, DefaultArguments=bare))
    glue.create_job(Name="lost", **job(role, Connections={"Connections": ["depots", "harbour"]}))
    yield bench


def job(role: str, **more: Any) -> dict[str, Any]:
    return {
        "Role": role,
        "Command": {
            "Name": "glueetl",
            "ScriptLocation": f"s3://{BUCKET}/code/tariffs.py",
            "PythonVersion": "3",
        },
        "GlueVersion": "5.1",
        "WorkerType": "G.1X",
        "NumberOfWorkers": 2,
        "DefaultArguments": {**OF_ALL, "--custom-logGroup-prefix": "/parcels"},
        "Connections": {"Connections": ["depots"]},
        **more,
    }


def seen(bench: Bench, run: dict[str, Any]) -> Any:
    """The script's own account of what it found."""
    assert (run["JobRunState"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    return json.loads((bench.folder / "logs" / "job-runs" / run["Id"] / "output.log").read_text())


def test_a_run_has_its_packages_jars_files_settings_and_connections_and_the_next_has_none(
    parcels: Bench,
) -> None:
    assert seen(parcels, run_job(parcels, "tariffs")) == ALL
    assert seen(parcels, run_job(parcels, "plain")) == NOTHING


def test_a_job_with_a_connection_has_the_drivers_without_asking(parcels: Bench) -> None:
    assert seen(parcels, run_job(parcels, "connected")) == {**NOTHING, "driver": "4.2"}


def test_glue_6_has_them_too(parcels: Bench) -> None:
    assert seen(parcels, run_job(parcels, "spark4")) == ALL


def test_the_same_packages_are_installed_once_and_other_content_is_another_package(tmp_path: Path) -> None:
    folder, file = tmp_path / "installed", tmp_path / "parcel_zones-1.0-py3-none-any.whl"

    def installed(code: str, options: str = "--no-index") -> Path:
        file.write_bytes(wheel("parcel_zones", code))
        return python_modules.install(Path(sys.executable), [file], options, folder)

    first = installed("ZONE = 1\n")
    made = first.stat().st_mtime_ns
    assert (first / "parcel_zones.py").read_text() == "ZONE = 1\n"
    assert (installed("ZONE = 1\n"), first.stat().st_mtime_ns) == (first, made)
    other = installed("ZONE = 2\n")
    assert (other / "parcel_zones.py").read_text() == "ZONE = 2\n"
    with pytest.raises(PythonModulesError, match=r"could not install parcel_zones-1\.0-py3-none-any\.whl: "):
        installed("ZONE = 1\n", "--no-such-option")
    assert sorted(folder.iterdir()) == sorted([first, other])


FAILURES = {
    "a connection that is missing": (
        "lost",
        {},
        ["EntityNotFoundException", "GetConnection", "Connection harbour not found"],
    ),
    "a role that may not see the connection": ("unconnected", {}, ["AccessDenied", "glue:GetConnection"]),
    "a role that may not read the jar": ("jarless", {}, ["AccessDenied", "GetObject"]),
    "a role that may not read the wheel": ("wheelless", {}, ["AccessDenied", "GetObject"]),
    "a package that no registry has": (
        "tariffs",
        {
            "--additional-python-modules": "parcel-nowhere==1.0",
            "--python-modules-installer-option": "--no-index",
        },
        [
            "PythonModules: pip could not install parcel-nowhere==1.0: ",
            "No matching distribution found for parcel-nowhere==1.0. A package of a registry needs a network",
        ],
    ),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_run_fails_before_its_script_and_says_why(parcels: Bench, what: str) -> None:
    name, arguments, words = FAILURES[what]
    done = run_job(parcels, name, Arguments=arguments)
    assert done["JobRunState"] == "FAILED"
    for word in words:
        assert word in done["ErrorMessage"]
    assert not (parcels.folder / "logs" / "job-runs" / done["Id"] / "output.log").exists()
