/** A figure of the cost, before and after a plan. */
export interface MoneyLine {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

export type When = "before" | "after";

export const dollars = (amount: number): string => `$${amount.toFixed(2)}`;
export const figure = (number: number): string => String(Math.round(number * 10) / 10);
