import { join } from "node:path";
import { defineTableOf } from "../shop-tables";

/** The shop's invoices: sales, cancellations and adjustments. Every version of each, from the deliveries of the extract. */
export const defineInvoicesStaging = defineTableOf("invoices", join(__dirname, "stg-invoices"));
