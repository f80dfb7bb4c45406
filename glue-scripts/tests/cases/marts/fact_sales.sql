select
  lines.invoice_id,
  lines.line_no,
  invoices.invoiced_at,
  invoices.customer_id,
  lines.product_id,
  invoices.kind,
  lines.quantity,
  lines.unit_price,
  -- Spark rounds decimals half up.
  cast(round(lines.quantity * lines.unit_price, 2) as decimal(14, 2)) as amount
from lines
left join invoices on invoices.invoice_id = lines.invoice_id
