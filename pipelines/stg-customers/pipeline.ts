import { join } from "node:path";
import { defineTableOf } from "../shop-tables";

/** The shop's customers, as an extract delivers those that were changed since the last one. Every version of each, from the deliveries of the extract. */
export const defineCustomersStaging = defineTableOf("customers", join(__dirname, "stg-customers"));
