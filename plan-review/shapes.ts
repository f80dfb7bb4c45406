import { type Change, UNKNOWN } from "./change";
import { type Difference } from "./differences";
import { code, shown } from "./markdown";
import * as words from "./shape-words";
import { isOn, isSet, numberOf } from "./shape-words";

/** The meaning of one changed value: data that is lost, a guard of data that goes, or another protection that is weaker. */
export interface Judgement {
  readonly kind: "lost" | "guard" | "weakened";
  readonly text: string;
}

type Rule = (difference: Seen, change: Change) => Judgement | undefined;

interface Seen extends Difference {
  readonly low: string;
  readonly key: string;
}

/**
 * Judges one changed value by the name of its attribute and its values, whatever the type of the resource. Values that are not known until apply are
 * named elsewhere.
 */
export function judgementOf(difference: Difference, change: Change): Judgement | undefined {
  if (difference.is === UNKNOWN || difference.was === UNKNOWN) return undefined;
  if (isDrawing(difference, change)) return undefined;
  const seen = {
    ...difference,
    low: difference.path.toLowerCase(),
    key: difference.keys.at(-1)!.toLowerCase(),
  };
  for (const rule of RULES) {
    const found = rule(seen, change);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The body of a dashboard only shows, and protects nothing. */
const isDrawing = ({ path }: Difference, { type }: Change): boolean =>
  /_dashboard$/.test(type) && /^(dashboard_body|definition)([._[]|$)/.test(path);

const arrow = ({ path, was, is }: Difference): string => `${code(path)} ${shown(was)} → ${shown(is)}`;
const guard = (text: string): Judgement => ({ kind: "guard", text });
const lost = (text: string): Judgement => ({ kind: "lost", text });
const weakened = (text: string): Judgement => ({ kind: "weakened", text });

const destructive: Rule = ({ low, was, is, path }) =>
  words.DESTRUCTIVE.test(low) && !isOn(was) && isOn(is)
    ? guard(`${code(path)} is switched on: a later destroy deletes the data too`)
    : undefined;

const deletes: Rule = (one) =>
  /(delete|deletion|removal)_(behavior|policy|mode)$/.test(one.key) && /delete|destroy/i.test(String(one.is))
    ? guard(`${arrow(one)}: what is gone at the source is deleted here too`)
    : undefined;

/** Reports data that expires earlier, or at all. Retention of logs is a protection, not data. */
const expiry: Rule = (one, change) => {
  const { low, key, was, is } = one;
  if (
    !words.EXPIRY.test(low) ||
    words.CACHES.test(change.type) ||
    /deletion_window|recovery_window/.test(low)
  )
    return undefined;
  const isLog = /log/.test(`${change.type}.${low}`.replaceAll("catalog", ""));
  // A lock that ends earlier deletes nothing by itself.
  const isLock = /lock/.test(change.type) || /object_lock|default_retention/.test(low);
  const found = isLog ? weakened : isLock ? guard : lost;
  if (words.DELETES.test(low) || /snapshot_management/.test(low)) {
    if (!isOn(was) && isOn(is)) return found(`${arrow(one)}: data now expires by itself`);
    if (/attribute_name$|^attribute$/.test(key) && isSet(is) && isSet(was))
      return found(`${arrow(one)}: other data now expires by itself`);
  }
  return number(one, found);
};

function number(one: Seen, found: (text: string) => Judgement): Judgement | undefined {
  const { low, was, is } = one;
  const isBackup = /backup|automated_snapshot|snapshot_retention_limit|restore/.test(low);
  const endless = (value: unknown) =>
    /retention_in_days$/.test(low) && numberOf(value) === 0 ? undefined : value;
  const [before, after] = [numberOf(endless(was)), numberOf(endless(is))];
  if (before !== undefined && after !== undefined)
    return after < before ? found(`${arrow(one)}: older data is deleted earlier`) : undefined;
  // Without a retention of their own, backups are not made.
  if (isBackup)
    return before !== undefined && !isSet(is) ? found(`${arrow(one)}: it is no longer kept`) : undefined;
  if (before === undefined && after !== undefined && (after > 0 || /retention/.test(low)))
    return /retention_in_days$/.test(low) && numberOf(was) === 0
      ? found(`${code(one.path)} for ever → ${shown(is)}: older data is deleted`)
      : found(`${arrow(one)}: older data is deleted`);
  return undefined;
}

/** Reports a shorter time before something is deleted for good. */
const waiting: Rule = (one) => {
  if (!/deletion_window|recovery_window/.test(one.low)) return undefined;
  const [before, after] = [numberOf(one.was), numberOf(one.is)];
  return before !== undefined && after !== undefined && after < before
    ? guard(`${arrow(one)}: less time to take a deletion back`)
    : undefined;
};

const dangerous: Rule = ({ low, was, is, path }) =>
  words.DANGEROUS.test(low) && !isOn(was) && isOn(is) ? weakened(`${code(path)} is switched on`) : undefined;

const encryption: Rule = (one) => {
  const { low, key, was, is, path } = one;
  if (!words.ENCRYPTION.test(low)) return undefined;
  const [before, after] = [words.strengthOf(was), words.strengthOf(is)];
  if (before !== undefined && after !== undefined && after < before) {
    const isFlag = typeof was === "boolean";
    return weakened(isFlag ? `${code(path)} is switched off` : arrow(one));
  }
  const isKey = /kms|key|cmk|arn|id$/.test(key) && before === undefined;
  if (isKey && isSet(was) && (!isSet(is) || after !== undefined))
    return weakened(`no longer encrypted with a key of yours: ${code(path)} was ${code(shown(was))}`);
  return before === undefined && isSet(was) && !isSet(is) && typeof was === "string"
    ? weakened(arrow(one))
    : undefined;
};

const level: Rule = (one) => {
  if (!/log|trac|audit/.test(one.low) || typeof (one.was ?? one.is) !== "string") return undefined;
  const [before, after] = [words.levelOf(one.was), words.levelOf(one.is)];
  return before !== undefined && after !== undefined && after < before && before > 0
    ? weakened(arrow(one))
    : undefined;
};

const tls: Rule = (one) => {
  const [before, after] = [words.tlsOf(one.was), words.tlsOf(one.is)];
  return before !== undefined && after !== undefined && after < before ? weakened(arrow(one)) : undefined;
};

const authorization: Rule = (one) =>
  /auth/.test(one.low) && isSet(one.was) && /^none$/i.test(String(one.is)) ? weakened(arrow(one)) : undefined;

/** Reports what is switched off or taken out. */
const off: Rule = (one) => {
  const { low, was, is } = one;
  const isGuard = words.GUARD.test(low);
  if (!isGuard && !words.PROTECTION.test(low)) return undefined;
  const found = isGuard ? guard : weakened;
  if (words.DANGEROUS.test(low) || words.DESTRUCTIVE.test(low)) return undefined;
  if (isOn(was) && !isOn(is))
    return found(`${code(one.path)} is switched off (${shown(was)} → ${shown(is)})`);
  const isText = typeof was === "string" || Array.isArray(was);
  return isText && isSet(was) && !isSet(is) ? found(`${arrow(one)}: it is taken out`) : undefined;
};

/** Any other switch, in a type whose attributes nobody knows. */
const enabled: Rule = (one) =>
  !/^(parameters|properties)\./.test(one.low) &&
  /enabled?$|^status$|^state$/.test(one.key) &&
  isOn(one.was) &&
  !isOn(one.is)
    ? weakened(`${code(one.path)} is switched off (${shown(one.was)} → ${shown(one.is)})`)
    : undefined;

const limit: Rule = (one) => {
  if (!words.LIMIT.test(one.low)) return undefined;
  const [before, after] = [numberOf(one.was), numberOf(one.is)];
  if (before === undefined || before < 0) return undefined;
  const isGone = !isSet(one.is) || (after !== undefined && after < 0);
  return isGone || (after !== undefined && after > before)
    ? weakened(`limit loosened: ${arrow(one)}`)
    : undefined;
};

const network: Rule = (one) =>
  words.NETWORK.test(one.low) && isSet(one.was) && !isSet(one.is)
    ? weakened(`${arrow(one)}: it leaves its network`)
    : undefined;

const role: Rule = (one) =>
  words.ROLE.test(one.low) && isSet(one.was) && isSet(one.is)
    ? weakened(`acts with the rights of another role: ${arrow(one)}`)
    : undefined;

const RULES: readonly Rule[] = [
  ...[destructive, deletes, waiting, expiry, dangerous, level, encryption, tls, authorization],
  ...[off, enabled, limit, network, role],
];
