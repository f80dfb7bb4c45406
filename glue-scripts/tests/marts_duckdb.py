"""Plain SQL models of the marts, for DuckDB: a third opinion beside the job and the model in Python."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from mart_shop import KEYS, SCHEMAS
from marts_model import Staged

# The last state of each key and day, and the day on which the next one begins.
_STATES = """
create view {name}_states as
with numbered as (
  select *, row_number() over (partition by {key}, valid_from::date
    order by valid_from desc, run_date desc, sequence desc) as from_last
  from {name}
)
select *, valid_from::date as since,
  lead(valid_from::date) over (partition by {key} order by valid_from::date) as until
from numbered where from_last = 1
"""
# Islands: a version begins where the key was not there before, or a compared column differs.
_SCD2 = """
with marked as (
  select *, coalesce(lag(change) over w, 'delete') = 'delete'
    or {differs} as is_new
  from {name}_states window w as (partition by {key} order by since)
), there as (
  select *, sum(is_new::int) over (partition by {key} order by since) as version
  from marked where change <> 'delete'
)
select {key}, {compared}, min(since) as valid_from,
  case when bool_or(until is null) then null else max(until) end as valid_to,
  bool_or(until is null) as is_current, version::int as version,
  (cast('0x' || sha256(length({key}) || ':' || {key} || '10:' || min(since)::varchar)[1:16] as ubigint)
    % 9223372036854775808)::bigint as surrogate
  {overwritten}
from there group by {key}, {compared}, version
"""
PRODUCTS = ("stg_products", "product_id", ("description", "unit_price"), ())
CUSTOMERS = ("stg_customers", "customer_id", ("country",), ("first_seen", "last_seen"))
_FACTS = """
select l.invoice_id, l.line_no, strftime(i.invoiced_at, '%Y%m%d')::int,
  coalesce(c.surrogate, -1), coalesce(p.surrogate, -2), i.kind, l.quantity, l.unit_price,
  (sign(l.quantity * l.unit_price) * floor(abs(l.quantity * l.unit_price) * 100 + 0.5) / 100)::decimal(14,2)
from (from stg_invoice_lines_states where until is null and change <> 'delete') l
join (from stg_invoices_states where until is null and change <> 'delete') i using (invoice_id)
left join customers_scd2 c on c.customer_id = i.customer_id and i.invoiced_at::date >= c.valid_from
  and (c.valid_to is null or i.invoiced_at::date < c.valid_to)
left join products_scd2 p on p.product_id = l.product_id and i.invoiced_at::date >= p.valid_from
  and (p.valid_to is null or i.invoiced_at::date < p.valid_to)
"""
_PRICES = """
with days as (
  select distinct valid_from::date as day from stg_products
  union select distinct valid_from::date from stg_invoices
)
select s.product_id, days.day, s.unit_price, l.list_price, l.supplier
from stg_products_states s
join days on days.day >= s.since and (s.until is null or days.day < s.until)
left join stg_price_lists l on l.product_id = s.product_id and l.valid_on = days.day
where s.change <> 'delete' and s.unit_price is not null
"""


def marts_of(staged: Mapping[str, Sequence[Staged]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each mart without members for the unknown, in an order of their own."""
    with duckdb.connect() as database:
        for name, rows in staged.items():
            _put(database, name, rows)
        for table, dimension in (("products_scd2", PRODUCTS), ("customers_scd2", CUSTOMERS)):
            database.execute(f"create table {table} as {_scd2(*dimension)}")
        selects = {
            "products_scd2": "from products_scd2",
            "customers_scd2": "from customers_scd2",
            "fact_sales": _FACTS,
            "prices_history": _PRICES,
        }
        return {
            table: sorted(database.execute(select).fetchall(), key=str) for table, select in selects.items()
        }


def _put(database: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Staged]) -> None:
    schema = SCHEMAS[name].replace("string", "varchar").replace("timestamp_ntz", "timestamp")
    added = "change varchar, valid_from timestamp, sequence int, run_date varchar"
    database.execute(f"create table {name} ({schema}, {added})")
    for one in rows:
        values = [*one.key, *one.compared, one.change, one.valid_from, one.sequence, one.run_date]
        database.execute(f"insert into {name} values ({', '.join('?' * len(values))})", values)  # noqa: S608
    key = ", ".join(column.split()[0] for column in SCHEMAS[name].split(", ")[: KEYS[name]])
    database.execute(_STATES.format(name=name, key=key))


def _scd2(name: str, key: str, compared: tuple[str, ...], overwritten: tuple[str, ...]) -> str:
    differs = " or ".join(f"lag({column}) over w is distinct from {column}" for column in compared)
    last = "".join(f", arg_max_null({column}, since) as {column}" for column in overwritten)
    return _SCD2.format(name=name, key=key, differs=differs, compared=", ".join(compared), overwritten=last)
