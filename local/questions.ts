import { output } from "./stack-outputs";
import { type Outputs } from "./terraform";

/** What Athena is asked at the end of a run, and what a user may ask next. */
export interface Questions {
  readonly final: string;
  readonly next: string;
}

/** Of a pipeline that is not named here, the rows of each run date are counted. */
const OWN: Readonly<Record<string, (outputs: Outputs) => Questions>> = {
  sales: (outputs) => {
    const revenue = `${output(outputs, "curated_database")}.sales_revenue`;
    return {
      final: `select transaction_date, sum(revenue) as revenue, sum(units) as units from ${revenue} group by 1 order by 1`,
      next: `select region, sum(total_amount) from ${output(outputs, "processed_database")}.sales group by 1`,
    };
  },
};

export function questionsOf(pipeline: string, outputs: Outputs): Questions {
  const own = OWN[pipeline];
  if (own !== undefined) return own(outputs);
  const table = `${output(outputs, "processed_database")}.${pipeline}`;
  return {
    final: `select run_date, count(*) as "rows" from ${table} group by 1 order by 1`,
    next: `select * from ${table} limit 5`,
  };
}
