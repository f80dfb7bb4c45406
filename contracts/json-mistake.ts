/**
 * What is wrong with a text that is no JSON, with the line where it is known: Node 20 tells a position at most.
 *
 * @param message of the error that `JSON.parse` threw
 */
export function jsonMistake(text: string, { message }: Error): string {
  const position = /at position (\d+)$/.exec(message)?.[1];
  if (position === undefined) return message;
  const lines = text.slice(0, Number(position)).split("\n");
  return `${message} (line ${lines.length} column ${lines.at(-1)!.length + 1})`;
}
