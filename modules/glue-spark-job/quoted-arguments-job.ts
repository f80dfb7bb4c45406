import { GlueJob } from "@cdktf/provider-aws/lib/glue-job";
import { Fn } from "cdktf";

/**
 * A Glue job whose arguments survive `cdktf synth --hcl`, which would write names that begin with hyphens without quotes. JSON is
 * unchanged.
 */
export class QuotedArgumentsJob extends GlueJob {
  protected override synthesizeHclAttributes(): Record<string, unknown> {
    const attributes: Record<string, unknown> = super.synthesizeHclAttributes();
    const values = this.defaultArgumentsInput;
    if (values === undefined) return attributes;
    const value: unknown = Fn.tomap(values);
    return { ...attributes, default_arguments: { value, type: "map", isBlock: false } };
  }
}
