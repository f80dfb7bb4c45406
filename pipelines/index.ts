import type { Construct } from "constructs";
import type { ContractPipeline, DatabaseExtract, EtlPlatform } from "../index";
import { defineCustomers } from "./customers/pipeline";
import { defineEvents } from "./events/pipeline";
import { defineMobileUsers } from "./mobile-users/pipeline";
import { defineProducts } from "./products/pipeline";
import { defineSales } from "./sales/pipeline";
import { defineCustomersStaging } from "./stg-customers/pipeline";
import { defineInvoiceLinesStaging } from "./stg-invoice-lines/pipeline";
import { defineInvoicesStaging } from "./stg-invoices/pipeline";
import { definePriceLists, PRICE_LISTS } from "./stg-price-lists/pipeline";
import { defineProductsStaging } from "./stg-products/pipeline";
import {
  contractPipelineSettings,
  declaredTableSettings,
  extractSettings,
  modelledSettings,
  extractedVersionsSettings,
  versionsSettings,
} from "./settings";
import { folderOfTable } from "./shop-tables";
import { defineShop } from "./shop/pipeline";

/** Every kind of pipeline. */
export type Made = ContractPipeline | DatabaseExtract;

/** A pipeline that environments can have. */
interface Entry<Name extends string, Settings> {
  /** In kebab-case: of its settings, its folder, its lock, on the command line. Public: a renamed pipeline is another one. */
  readonly name: Name;
  /** The zod schema of its settings. It is an object to the compiler, which would spend a tenth of a synth on comparing schemas. */
  readonly settings: object;
  readonly define: (scope: Construct, id: string, platform: EtlPlatform, settings: Settings) => Made;
  /** The folder of its deliveries in the raw zone, where it has another name than the pipeline; ends in a slash. */
  readonly deliveriesFolder?: string;
  /**
   * A Python program of its folder that makes its deliveries from days of the shop, files `YYYY-MM-DD.csv`: for the bench.
   * `python3 <program> --input DIR --into DIR`.
   */
  readonly madeFromDays?: string;
  /** `true`: it reads a database, whose connection comes from outside of the environment's file. */
  readonly hasConnection?: boolean;
  /** The pipelines whose tables or deliveries it reads; they are deployed with it. */
  readonly needs?: readonly string[];
  /** The pipelines that the bench deploys with it and runs after it, once for all its dates. */
  readonly followedBy?: readonly string[];
}

const entry = <const Name extends string, Settings>(one: Entry<Name, Settings>) => one;

/** The entry of a history of a table that `shop` extracts. */
const ofTable = (table: string) => ({
  settings: extractedVersionsSettings,
  deliveriesFolder: folderOfTable(table),
  needs: ["shop"],
});

/** The registry: one line for each pipeline, in the order of settings, outputs and the dashboard. */
export const PIPELINES = [
  entry({ name: "events", settings: contractPipelineSettings, define: defineEvents }),
  entry({ name: "sales", settings: declaredTableSettings, define: defineSales }),
  entry({ name: "customers", settings: declaredTableSettings, define: defineCustomers }),
  entry({ name: "products", settings: declaredTableSettings, define: defineProducts }),
  entry({ name: "mobile-users", settings: modelledSettings, define: defineMobileUsers }),
  entry({
    ...{ name: "shop", settings: extractSettings, define: defineShop, hasConnection: true },
    followedBy: ["stg-customers", "stg-products", "stg-invoices", "stg-invoice-lines", "stg-price-lists"],
  }),
  entry({ ...ofTable("customers"), name: "stg-customers", define: defineCustomersStaging }),
  entry({ ...ofTable("products"), name: "stg-products", define: defineProductsStaging }),
  entry({ ...ofTable("invoices"), name: "stg-invoices", define: defineInvoicesStaging }),
  entry({ ...ofTable("invoice_lines"), name: "stg-invoice-lines", define: defineInvoiceLinesStaging }),
  entry({
    ...{ name: "stg-price-lists", settings: versionsSettings, define: definePriceLists },
    ...{ deliveriesFolder: PRICE_LISTS, madeFromDays: "generate_sample.py" },
  }),
] as const;

type Registered = (typeof PIPELINES)[number];
export type PipelineName = Registered["name"];

/** The settings of an environment's pipelines, by name; a pipeline that is left out is not deployed. */
export type PipelinesSettings = {
  readonly [One in Registered as One["name"]]?: Parameters<One["define"]>[3];
};
