-- What a trading day does to the shop's tables: `${day}` is its date, and its lines are in shop_days.lines.

insert into shop.customers
select distinct on (customer_id) customer_id, country, date '${day}', date '${day}', timestamp '${day} 23:00:00'
from shop_days.lines
where customer_id is not null
order by customer_id, line desc
on conflict (customer_id) do update
set country = excluded.country, last_seen = excluded.last_seen, updated_at = excluded.updated_at;

with
descriptions as (
  select distinct on (product_id) product_id, description
  from (
    select product_id, description, count(*) as times
    from shop_days.lines where description is not null
    group by product_id, description
  ) as counted
  order by product_id, times desc, description collate "C"
),
prices as (
  select distinct on (product_id) product_id, unit_price
  from (
    select product_id, unit_price, count(*) as times
    from shop_days.lines where unit_price > 0 and quantity > 0
    group by product_id, unit_price
  ) as counted
  order by product_id, times desc, unit_price
)
insert into shop.products as known
select codes.product_id, descriptions.description, prices.unit_price, timestamp '${day} 23:00:00'
from (select distinct product_id from shop_days.lines) as codes
left join descriptions using (product_id)
left join prices using (product_id)
on conflict (product_id) do update
set
  description = coalesce(excluded.description, known.description),
  unit_price = coalesce(excluded.unit_price, known.unit_price),
  updated_at = excluded.updated_at
where coalesce(excluded.description, known.description) is distinct from known.description
  or coalesce(excluded.unit_price, known.unit_price) is distinct from known.unit_price;

insert into shop.invoices
select distinct on (invoice_id)
  invoice_id, customer_id, invoiced_at, country,
  case left(invoice_id, 1) when 'A' then 'adjustment' when 'C' then 'cancellation' else 'sale' end
from shop_days.lines
order by invoice_id, line
on conflict (invoice_id) do nothing;

insert into shop.invoice_lines
select
  invoice_id,
  (select count(*) from shop.invoice_lines as there where there.invoice_id = lines.invoice_id)
    + row_number() over (partition by invoice_id order by line),
  product_id, quantity, unit_price
from shop_days.lines;

insert into shop_days.last_lines
select distinct product_id, date '${day}' from shop_days.lines
on conflict (product_id) do update set day = excluded.day;

-- Discontinued: no line for more than five calendar days.
delete from shop.products using shop_days.last_lines
where products.product_id = last_lines.product_id and date '${day}' - last_lines.day > 5;
delete from shop_days.last_lines where date '${day}' - day > 5;
