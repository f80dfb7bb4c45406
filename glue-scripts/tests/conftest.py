"""One Spark for all tests, and a lake in a temporary directory to run the job on."""

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "jobs"), str(ROOT / "compiler")]

import transform_deliveries  # noqa: E402 (the path is set above)
from etl.ingest.contract import Contract  # noqa: E402 (the path is set above)
from halves import HALVES, half_of  # noqa: E402 (the path is set above)
from plans import contract_of_text, put_plan  # noqa: E402 (the path is set above)

PIPELINES = ROOT.parent / "pipelines"
CONTRACT = PIPELINES / "events" / "events.schema.json"
QUALITY = PIPELINES / "events" / "events.quality.json"
# For tests with few rows, which would fail limits meant for thousands.
LENIENT = ROOT / "tests" / "cases" / "lenient.quality.json"


# Iceberg's runtime, which `npm test` fetches for the Spark of this Python.
JARS = sorted(
    (ROOT.parent / ".setup").glob(f"{Path(sys.prefix).name.replace('venv', 'jars')}/*iceberg-spark*.jar")
)

# The JDBC drivers that Glue has.
DRIVERS = sorted((ROOT.parent / ".setup" / "jars-jdbc").glob("*postgresql*.jar"))


# Spark 4 reads XML itself; Spark 3.5 has this jar from the job.
XML_JARS = [] if Path(sys.prefix).name.endswith("spark4") else sorted((ROOT / "jars").glob("spark-xml*.jar"))


class WAREHOUSE:
    """The folder of the Iceberg tables of the tests; set with the session."""

    folder: Path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--half", choices=HALVES, help="run one half of the files; both halves are all files")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    half = config.getoption("half")
    is_other = half is not None and collection_path.suffix == ".py" and half_of(collection_path.name) != half
    return True if is_other else None


@dataclass(frozen=True)
class Lake:
    """A source, an output and a quarantine; `deliver` fills the source, `run` runs the job."""

    root: Path
    quality: Path = LENIENT

    def deliver(self, day: str, *lines: object, file: str = "events.json", end: str = "\n") -> Path:
        """Objects are written as JSON, texts as they are; a name ending in .gz is compressed."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        return self.deliver_bytes(day, "".join(text + end for text in texts).encode(), file)

    def deliver_bytes(self, day: str, content: bytes, file: str = "events.json") -> Path:
        path = self.root / "raw" / "events" / f"dt={day}" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, mtime=0) if file.endswith(".gz") else content)
        return path

    def arguments(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> list[str]:
        given = {
            "pipeline": "events",
            "source_bucket": str(self.root / "raw"),
            "source_prefix": "events/",
            "output_bucket": str(self.root / "processed"),
            "output_prefix": "events/",
            "quarantine_bucket": str(self.root / "quarantine"),
            "quarantine_prefix": "events/",
            "books_bucket": str(self.root / "processed"),
            "books_prefix": "books/events/",
            "contract": str(CONTRACT),
            "quality": str(self.quality),
            "from_date": first,
            "to_date": last or first,
            "run_id": run_id,
            **others,
        }
        contract, quality = Path(given.pop("contract")), Path(given.pop("quality"))
        given["plan_uri"] = put_plan(self.root, contract, quality)
        return [part for name, value in given.items() for part in (f"--{name}", value)]

    def run(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> dict[str, Any]:
        """Runs the job and gives its books. Nothing is kept in memory after it, as after a process of its
        own."""
        try:
            transform_deliveries.main(self.arguments(first, last, run_id, **others))
        finally:
            SparkSession.builder.getOrCreate().catalog.clearCache()
        return self.books(run_id)

    def books(self, run_id: str = "run-1", name: str = "books") -> dict[str, Any]:
        folder = self.root / "processed" / "books" / "events" / run_id
        books: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
        return books

    def books_by_date(self) -> dict[str, dict[str, Any]]:
        """The book of each date, and under "unfinished" the note of a run that did not end."""
        folder = self.root / "processed" / "books" / "events" / "by-date"
        return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}

    def files(self, zone: str) -> list[str]:
        """The partition and name of each data file."""
        root = self.root / zone / "events"
        return sorted(str(path.relative_to(root)) for path in root.glob("run_date=*/*.parquet"))

    def dates(self, zone: str) -> list[str]:
        return sorted({name.split("/")[0].removeprefix("run_date=") for name in self.files(zone)})

    def rows(self, spark: SparkSession, zone: str) -> list[Row]:
        if not self.files(zone):
            return []
        return spark.read.parquet(str(self.root / zone / "events")).collect()

    def kept(self, spark: SparkSession) -> list[tuple[str, str]]:
        """Run date and key of the good rows."""
        return sorted((row["run_date"], row["event_id"]) for row in self.rows(spark, "processed"))

    def reasons(self, spark: SparkSession) -> list[tuple[str, str]]:
        """Raw line and reason of the quarantined rows."""
        return sorted((row["raw_line"], row["reason"]) for row in self.rows(spark, "quarantine"))


def event(key: object = "e-1", **others: object) -> dict[str, Any]:
    """A good event; any column may be given another value."""
    good = {
        "event_id": key,
        "user_id": "17850",
        "event_type": "purchase",
        "timestamp": "2010-12-01T08:26:00Z",
        "country": "United Kingdom",
        "items": [{"product_id": "85123A", "quantity": 6, "unit_price": 2.55}],
    }
    return good | others


@pytest.fixture(scope="session")
def event_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("event-log")


@pytest.fixture(scope="session")
def spark(event_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    assert JARS, "Iceberg's runtime is not in .setup: npm test fetches it"
    WAREHOUSE.folder = tmp_path_factory.mktemp("warehouse")
    session = (
        SparkSession.builder.master("local[2]")
        .appName("tests")
        .config("spark.ui.enabled", "false")
        # Many short queries: optimising compiled code costs more than running them.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        # One of the faults is a line of 200 MB.
        .config("spark.driver.memory", "4g")
        .config("spark.log.level", "ERROR")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.rolling.enabled", "false")
        .config("spark.eventLog.compress", "false")
        .config("spark.eventLog.dir", event_log.as_uri())
        .config("spark.jars", ",".join(map(str, [*JARS, *XML_JARS, *DRIVERS])))
        .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
        .config("spark.sql.catalog.glue_catalog", "org.apache.iceberg.spark.SparkCatalog")
        .config("spark.sql.catalog.glue_catalog.type", "hadoop")
        .config("spark.sql.catalog.glue_catalog.warehouse", f"file:{WAREHOUSE.folder}")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(params=["ansi off", "ansi on"])
def each_spark(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """Spark as Glue 5.1 runs it, and with the strictness that is the default from Spark 4."""
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", str(request.param == "ansi on").lower())
    yield spark
    spark.conf.set("spark.sql.ansi.enabled", str(before))


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> Lake:
    return Lake(tmp_path)


@pytest.fixture(scope="session")
def contract() -> Contract:
    return contract_of_text(CONTRACT.read_text())
