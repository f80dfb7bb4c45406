-- The shop's database, empty. `shop_days` is the bench's own: which days have been applied, and each product's last day with a line.
drop schema if exists shop cascade;
drop schema if exists shop_days cascade;

create schema shop;
create table shop.customers (
  customer_id text primary key,
  country text not null,
  first_seen date not null,
  last_seen date not null,
  updated_at timestamp not null
);
create table shop.products (
  product_id text primary key,
  description text,
  unit_price numeric(10, 4),
  updated_at timestamp not null
);
create table shop.invoices (
  invoice_id text primary key,
  customer_id text,
  invoiced_at timestamp not null,
  country text not null,
  kind text not null check (kind in ('adjustment', 'cancellation', 'sale'))
);
create table shop.invoice_lines (
  invoice_id text not null references shop.invoices,
  line_no integer not null,
  product_id text not null,
  quantity integer not null,
  unit_price numeric(10, 4) not null,
  primary key (invoice_id, line_no)
);

create schema shop_days;
create table shop_days.days (day date primary key, sha256 text not null, is_extracted boolean not null default false);
create table shop_days.last_lines (product_id text primary key, day date not null);
-- A day's file as it stands, in its order.
create table shop_days.file (
  line bigint generated always as identity,
  "InvoiceNo" text,
  "StockCode" text,
  "Description" text,
  "Quantity" integer,
  "InvoiceDate" timestamp,
  "UnitPrice" numeric,
  "CustomerID" text,
  "Country" text
);
create view shop_days.lines as
select
  line,
  "InvoiceNo" as invoice_id,
  upper(regexp_replace("StockCode", '^\s+|\s+$', '', 'g')) as product_id,
  nullif(regexp_replace("Description", '^\s+|\s+$', '', 'g'), '') as description,
  "Quantity" as quantity,
  "InvoiceDate" as invoiced_at,
  "UnitPrice"::numeric(10, 4) as unit_price,
  nullif(regexp_replace("CustomerID", '\.0$', ''), '') as customer_id,
  "Country" as country
from shop_days.file;
