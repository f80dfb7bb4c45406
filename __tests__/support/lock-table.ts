import { type JsonObject } from "../../definition-checks/asl";
import { ServiceError, type Answer } from "./interpreter";

/** A table of locks that holds the conditions which the definitions use, and answers as DynamoDB does. */
export function lockTable(owner?: string) {
  const items = new Map<string, JsonObject>();
  if (owner !== undefined) items.set("events", { pipeline: { S: "events" }, owner: { S: owner } });
  const keyOf = (one: JsonObject | undefined) => (one as { pipeline: { S: string } }).pipeline.S;
  const holds = (key: string, { parameters }: { parameters: JsonObject }): boolean => {
    const held = (items.get(key)?.owner as { S: string } | undefined)?.S;
    const values = parameters.ExpressionAttributeValues as Record<string, { S: string }>;
    if ((parameters.ExpressionAttributeNames as JsonObject)["#owner"] !== "owner") throw new Error("names");
    return (parameters.ConditionExpression as string).split(" OR ").some((condition) => {
      if (condition === "attribute_not_exists(#owner)") return held === undefined;
      const value = /^#owner = (:[a-z]+)$/.exec(condition)?.[1];
      if (value === undefined) throw new Error(`unclear: ${condition}`);
      return held !== undefined && held === values[value]?.S;
    });
  };
  const refuse = (): never => {
    throw new ServiceError("DynamoDB.ConditionalCheckFailedException", "The conditional request failed");
  };
  const answers: Record<string, Answer> = {
    "dynamodb:putItem": (call) => {
      const item = call.parameters.Item as JsonObject;
      if (!holds(keyOf(item), call)) return refuse();
      items.set(keyOf(item), item);
      return {};
    },
    "dynamodb:getItem": ({ parameters }): JsonObject => {
      const item = items.get(keyOf(parameters.Key as JsonObject));
      return item === undefined ? {} : { Item: item };
    },
    "dynamodb:deleteItem": (call) => {
      const key = keyOf(call.parameters.Key as JsonObject);
      if (!holds(key, call)) return refuse();
      items.delete(key);
      return {};
    },
  };
  return {
    answers,
    /** The owner of the lock of the events pipeline. */
    owner: (): string | undefined => (items.get("events")?.owner as { S: string } | undefined)?.S,
    /** Lets somebody else have it. */
    give: (to: string) => items.set("events", { pipeline: { S: "events" }, owner: { S: to } }),
    free: () => items.delete("events"),
  };
}
