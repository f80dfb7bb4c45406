/**
 * Describes why a text is not valid JSON, with line and column if Node's message has a position.
 *
 * @param message of the error that `JSON.parse` threw
 */
export function jsonMistake(text: string, { message }: Error): string {
  const position = /at position (\d+)$/.exec(message)?.[1];
  if (position === undefined) return message;
  const lines = text.slice(0, Number(position)).split("\n");
  return `${message} (line ${lines.length} column ${lines.at(-1)!.length + 1})`;
}
