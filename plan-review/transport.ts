import { type Change, UNKNOWN } from "./change";
import { type Finding } from "./finding";
import { code } from "./markdown";
import { looksLikePolicy, parsePolicy } from "./policy-document";

/** Reports policies that no longer deny requests without TLS. */
export function transportOpened({ address, before, after, name }: Change): Finding[] {
  return Object.entries(before ?? {}).flatMap(([attribute, value]) =>
    hasTlsDenial(value) && after?.[attribute] !== UNKNOWN && !hasTlsDenial(after?.[attribute])
      ? [{ address, text: `requests without TLS are no longer denied by ${code(name)}` }]
      : [],
  );
}

function hasTlsDenial(value: unknown): boolean {
  if (!looksLikePolicy(value)) return false;
  try {
    return parsePolicy(value, { principal: "*", resource: "*" }).some(
      ({ effect, conditions }) =>
        effect === "Deny" &&
        conditions.some(
          ({ key, values }) => key.toLowerCase() === "aws:securetransport" && values.includes("false"),
        ),
    );
  } catch {
    return false;
  }
}
