import { join } from "node:path";
import { defineTableOf } from "../shop-tables";

/** The lines of the shop's invoices. Every version of each, from the deliveries of the extract. */
export const defineInvoiceLinesStaging = defineTableOf("invoice_lines", join(__dirname, "stg-invoice-lines"));
