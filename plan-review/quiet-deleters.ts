import { type Change } from "./change";
import { at } from "./differences";
import { type Finding } from "./finding";
import { code, shown } from "./markdown";
import { isOn } from "./shape-words";
import { type Values } from "./plan";

/**
 * Reports what starts to delete data although it is a resource of its own: optimizers of tables in the catalogue, lifecycle policies of image
 * repositories.
 *
 * @param isNew tells whether the plan creates what the resource deletes from
 */
export function quietDeletions(change: Change, isNew: (change: Change) => boolean): Finding[] {
  if (!QUIET.test(change.type) || change.after === undefined || !change.isChanged || isNew(change)) return [];
  const finding = (text: string): Finding[] => [{ address: change.address, text }];
  if (change.type === "aws_glue_catalog_table_optimizer") {
    const deletes = /retention|orphan/.test(String(change.after.type));
    if (!deletes || optimises(change.before) || !optimises(change.after)) return [];
    const table = code(`${shown(change.after.database_name)}.${shown(change.after.table_name)}`);
    return finding(
      `an optimizer (${shown(change.after.type)}) now deletes ${change.after.type === "retention" ? "snapshots" : "files that no snapshot names"} of the table ${table}`,
    );
  }
  if (change.type === "aws_ecr_lifecycle_policy") {
    const was = new Set(imageRules(change.before));
    const added = imageRules(change.after).filter((rule) => !was.has(rule));
    const repository = code(shown(change.after.repository));
    return added.flatMap((rule) => finding(`images of ${repository} now expire by the rule ${code(rule)}`));
  }
  return [];
}

const QUIET = /^aws_(glue_catalog_table_optimizer|ecr_lifecycle_policy)$/;

const optimises = (values: Values | undefined): boolean =>
  values !== undefined &&
  (at(values, "configuration.0.enabled") === undefined || isOn(at(values, "configuration.0.enabled")));

function imageRules(values: Values | undefined): string[] {
  try {
    const { rules = [] } = JSON.parse(String(values?.policy)) as { rules?: { selection?: unknown }[] };
    return rules.map(({ selection }) => JSON.stringify(selection));
  } catch {
    return values === undefined ? [] : ["not known until apply"];
  }
}
