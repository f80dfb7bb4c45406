import { settingsSchema } from "../../environments/settings";

/** The pipelines of every environment, in the order of the settings. */
export const PIPELINES: readonly string[] = Object.keys(settingsSchema.shape.pipelines.shape);
