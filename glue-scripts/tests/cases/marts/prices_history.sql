select
  products.product_id,
  products.date,
  products.unit_price as shop_price,
  price_lists.list_price,
  price_lists.supplier
from products
left join price_lists on price_lists.product_id = products.product_id and price_lists.valid_on = products.date
where products.unit_price is not null
