/** What each pipeline adds up, as its table in the curated zone is called; a pipeline that is not here adds nothing up. Pure. */
export const AGGREGATE_TABLES: Readonly<Record<string, string>> = { sales: "sales_revenue" };
