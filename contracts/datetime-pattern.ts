export interface DatetimePattern {
  readonly pattern: string;
  readonly hasZone: boolean;
}
export const datetimePatternMistake = (_: string): string | undefined => undefined;
export const datetimePatterns = (pattern: string): DatetimePattern[] => [
  { pattern, hasZone: /[VzOXxZ]/.test(pattern.replace(/'[^']*'/g, "").replace(/\[[^\]]*\]/g, "")) },
];
