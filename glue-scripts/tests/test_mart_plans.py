"""The plan and the arguments of a mart's job: loaded strictly, mistakes at once."""

import json

import pytest
from etl.errors import InvalidArguments, PlanRefused
from etl.marts.arguments import read_mart_arguments
from etl.marts.kinds.star import FiscalYear, Lookup
from etl.marts.plan import AsOf, Calendar, Facts, Scd2, load_mart
from mart_shop import CASES, OWNER_ARN
from plans import NotCompiledError, mart_of

GIVEN = {
    "pipeline": "star",
    "mart_uri": "s3://artifacts/star.mart.json",
    "source_database": "processed",
    "output_database": "curated",
    "output_bucket": "curated-bucket",
    "output_prefix": "star/",
    "books_bucket": "processed-bucket",
    "books_prefix": "books/star/",
    "from_date": "2010-12-03",
    "to_date": "2010-12-03",
    "run_id": "run-1",
    "lock_table": "locks",
    "lock_owner": OWNER_ARN,
}


def argv(**changes: str) -> list[str]:
    return [part for name, value in {**GIVEN, **changes}.items() for part in (f"--{name}", value)]


def star() -> str:
    select = (("fact_sales", (CASES / "fact_sales.sql").read_text()),)
    return mart_of((CASES / "star.mart.json").read_text(), select)


@pytest.mark.once
def test_a_star_is_loaded_as_it_was_declared() -> None:
    mart = load_mart(star(), "the plan")
    date, customer, product, sales = mart.tables
    assert isinstance(date.kind, Calendar)
    assert date.kind.fiscal == FiscalYear(4, True)
    assert isinstance(customer.kind, Scd2)
    assert (customer.kind.unknown, customer.kind.dimension.overwritten) == (-1, ("first_seen", "last_seen"))
    assert isinstance(product.kind, Scd2)
    assert isinstance(sales.kind, Facts)
    assert sales.kind.lookups == (
        Lookup("dim_customer", "customer_key", {"customer_id": "customer_id"}, -1),
        Lookup("dim_product", "product_key", {"product_id": "product_id"}, -2),
    )
    assert sales.quality is not None
    assert not mart.depends_on_run_date
    of_dates = load_mart(mart_of((CASES / "products-as-of.mart.json").read_text(), ()), "the plan")
    assert of_dates.depends_on_run_date
    assert of_dates.tables[0].kind == AsOf("products", "as_of_date", 400)


@pytest.mark.once
def test_a_plan_that_is_not_whole_is_refused() -> None:
    plan = json.loads(star())
    for text, message in (
        ("{", "the plan does not hold a mart"),
        ("[]", "the plan does not hold a mart"),
        (json.dumps({**plan, "martVersion": 99}), "the plan has version 99, and this job reads 1: deploy"),
        (json.dumps({**plan, "tables": [{"name": "x", "kind": "cube"}]}), "does not hold a whole mart"),
        (json.dumps({"martVersion": 1}), "does not hold a whole mart"),
    ):
        with pytest.raises(PlanRefused, match=message):
            load_mart(text, "the plan")
    with pytest.raises(NotCompiledError, match="needs its SELECT in"):
        mart_of((CASES / "star.mart.json").read_text(), ())


@pytest.mark.once
def test_arguments_are_read_strictly() -> None:
    found = read_mart_arguments(argv())
    assert (found.output, found.books) == ("s3://curated-bucket/star/", "s3://processed-bucket/books/star/")
    assert found.databases == {"processed": "processed", "curated": "curated"}
    with pytest.raises(InvalidArguments) as several:
        read_mart_arguments(argv(to_date="2010-12-04", source_subprefix="late/"))
    assert f"{several.value}" == (
        "a mart is made for one date, got --from_date '2010-12-03', --to_date '2010-12-04': start a run with "
        "one runDate; a mart reads no folder, got --source_subprefix 'late/': leave sourcePrefix out"
    )
    with pytest.raises(InvalidArguments, match="--plan_uri is not an argument of this job"):
        read_mart_arguments(argv(plan_uri="s3://x"))
