import { join } from "node:path";
import { defineTableOf } from "../shop-tables";

/** The shop's products. A product without a line for more than five days is deleted. Every version of each, from the deliveries of the extract. */
export const defineProductsStaging = defineTableOf("products", join(__dirname, "stg-products"));
