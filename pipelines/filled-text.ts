import { z } from "zod";
import { placeholderMistake } from "../modules/core/placeholder";

/** Text that is not empty and holds no placeholder. */
export const text = () =>
  z
    .string()
    .min(1, "must not be empty")
    .refine((value) => placeholderMistake(value) === undefined, {
      error: "still holds a placeholder; fill it in",
      abort: true,
    });
