import { z } from "zod";

/** How arriving files start a pipeline. */
export const arrivalSchema = z.strictObject({
  /** `false`: runs are started by the schedule or by hand only. */
  enabled: z.boolean(),
  /** When the files of a source and date are complete. */
  complete: z.discriminatedUnion("rule", [
    z.strictObject({ rule: z.literal("quiet"), seconds: z.int().min(1).max(900) }),
    z.strictObject({ rule: z.literal("marker"), name: z.string() }),
    z.strictObject({ rule: z.literal("manifest"), name: z.string() }),
    z.strictObject({ rule: z.literal("count"), files: z.int().min(1).max(10_000) }),
  ]),
  /** When a delivery that is not complete counts as half, minutes after its first file; 240 when left out. */
  deadlineMinutes: z.int().min(1).max(10_080).optional(),
  /** The zone of the day to which a file without a date's folder is copied; it is quarantined when left out. */
  undatedZone: z.string().optional(),
  /** The ends of names that start runs; all when left out. */
  endings: z.array(z.string().min(1)).optional(),
});

export type ArrivalSettings = z.infer<typeof arrivalSchema>;

/** How files start a pipeline with these settings; `undefined` of one that has none, or that reads no files. */
export const arrivalOf = (settings: { readonly arrival?: ArrivalSettings } | object | null | undefined) =>
  typeof settings === "object" && settings !== null && "arrival" in settings ? settings.arrival : undefined;
