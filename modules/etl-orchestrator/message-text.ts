/** The subject that messages of executions share. */

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: ASCII without control characters, fewer than 100 of them. */
const MOST_TITLE_CHARACTERS = 80;

export interface TitleScope {
  readonly pipeline: string;
  /** What messages call the environment. */
  readonly environment?: string;
  /** The machine's, which tells of the environment where nothing else does. */
  readonly name: string;
}

/** How a subject begins; the outcome follows. What SNS takes in no subject becomes `?`, a token stays. */
export function title({ pipeline, environment, name }: TitleScope): string {
  const where = environment === undefined ? ` (${name})` : ` in ${environment}`;
  const whole = `${pipeline}${where}`;
  if (/\$\{/.test(whole)) return whole;
  const ascii = (text: string) => text.replace(/[^\x20-\x7e]/g, "?").replace(/[<>\\"]/g, "?");
  const room = Math.max(1, MOST_TITLE_CHARACTERS - where.length);
  return `${ascii(pipeline.trim()).slice(0, room)}${ascii(where)}`.slice(0, MOST_TITLE_CHARACTERS);
}
