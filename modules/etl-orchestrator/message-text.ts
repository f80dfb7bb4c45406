/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: ASCII without control characters, fewer than 100 of them. */
const MOST_TITLE_CHARACTERS = 80;

export interface TitleScope {
  readonly pipeline: string;
  /** The environment's name in messages. */
  readonly environment?: string;
  /** The machine's name, which stands in for the environment if there is none. */
  readonly name: string;
}

/** The beginning of a subject, before the outcome. Characters that SNS does not allow become `?`; a token is left unchanged. */
export function title({ pipeline, environment, name }: TitleScope): string {
  const where = environment === undefined ? ` (${name})` : ` in ${environment}`;
  const whole = `${pipeline}${where}`;
  if (/\$\{/.test(whole)) return whole;
  const ascii = (text: string) => text.replace(/[^\x20-\x7e]/g, "?").replace(/[<>\\"]/g, "?");
  const room = Math.max(1, MOST_TITLE_CHARACTERS - where.length);
  return `${ascii(pipeline.trim()).slice(0, room)}${ascii(where)}`.slice(0, MOST_TITLE_CHARACTERS);
}
