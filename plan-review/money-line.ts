/** A figure of the cost, before and after a plan. */
export interface MoneyLine {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  /** The resource that it is about; none for sums. */
  readonly address?: string;
}

export type When = "before" | "after";

export const dollars = (amount: number): string =>
  amount === Infinity
    ? "unlimited"
    : amount > 0 && amount < 0.005
      ? `$${amount.toFixed(6)}`
      : `$${amount.toFixed(2)}`;
export const figure = (number: number): string =>
  number === Infinity ? "unlimited" : String(Math.round(number * 10) / 10);
