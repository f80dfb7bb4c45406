import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import { zipSync } from "fflate";
import { FunctionLayer, type FunctionLayerProps } from "../../../modules/etl-function/function-layer";
import { type LayerRecord, packLayer } from "../../../modules/etl-function/layer-archive";
import { ARTIFACTS, place } from "../../support/places";
import { refusal, synth, unknownText } from "../../support/synth";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-layer-"));
  file = write("tiny.zip", {});
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a layer of one package. */
function write(name: string, record: Partial<Record<keyof LayerRecord, unknown>>): string {
  const files = new Map([
    ["tiny/__init__.py", { content: new Uint8Array([10]), isExecutable: false }],
    ["tiny/program", { content: new Uint8Array([10]), isExecutable: true }],
  ]);
  const whole = {
    runtime: "python3.11",
    architecture: "x86_64",
    packages: [{ name: "tiny", version: "1.2" }],
    unzippedBytes: 1,
    ...record,
  } as LayerRecord;
  writeFileSync(join(folder, name), packLayer(files, whole));
  return join(folder, name);
}

const make = (stack: TerraformStack, props: Partial<FunctionLayerProps> = {}, id = "Layer") =>
  new FunctionLayer(stack, id, { name: "etl-dev-tiny", file, artifacts: ARTIFACTS, ...props });

test("a version of the layer, for the runtime of its record, from an object with the hash in its key", () => {
  const { at, built, counts, reference } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_lambda_layer_version: 1, aws_s3_object: 1 });
  const key = at("Layer/Archive/Resource").key as string;
  expect(key).toMatch(/^layers\/[0-9a-f]{16}\/tiny\.zip$/);
  expect(at("Layer/Resource")).toEqual({
    layer_name: "etl-dev-tiny",
    description: "tiny 1.2",
    s3_bucket: reference("Layer/Archive/Resource", "bucket"),
    s3_key: reference("Layer/Archive/Resource", "key"),
    source_code_hash: createHash("sha256").update(readFileSync(file)).digest("base64"),
    compatible_runtimes: ["python3.11"],
    compatible_architectures: ["x86_64"],
    lifecycle: { create_before_destroy: true },
  });
  expect({ ...built }).toMatchObject({ runtimes: ["python3.11"], architectures: ["x86_64"] });
  expect(built.unzippedBytes).toBeGreaterThan(100);
});

test("every prop changed, two in one stack", () => {
  const { at, counts } = synth((stack) => {
    make(stack, {}, "Other");
    return make(stack, {
      name: "tables",
      description: "For tables",
      file: write("other.zip", { runtime: "python3.13", architecture: "arm64" }),
      artifacts: place("shop", "artifacts/"),
    });
  });
  expect(counts).toEqual({ aws_lambda_layer_version: 2, aws_s3_object: 2 });
  expect(at("Layer/Resource")).toMatchObject({
    layer_name: "tables",
    description: "For tables",
    compatible_runtimes: ["python3.13"],
    compatible_architectures: ["arm64"],
  });
  expect(at("Layer/Archive/Resource")).toMatchObject({
    bucket: "shop",
    key: expect.stringMatching(/^artifacts\/layers\//) as string,
  });
});

test("refusals, all at once", () => {
  const mistakes = {
    name: "etl dev",
    description: "x".repeat(257),
    file: "tiny.zip",
    artifacts: place("shop", "/artifacts"),
  };
  expect(refusal((stack) => make(stack, mistakes)).split("; '")).toEqual([
    "FunctionLayer 'etl-dev/Layer': 'name' must be 1 to 140 letters, digits, hyphens or underscores, got \"etl dev\" with 7",
    "description' must have at most 256 characters, got 257",
    expect.stringMatching(/^artifacts\.prefix' must not start with a slash/),
    "file' must be an absolute path, got 'tiny.zip'; use join(__dirname, …)",
  ]);
});

test.each<[string, () => Partial<FunctionLayerProps>, string]>([
  [
    "no zip",
    () => {
      writeFileSync(join(folder, "text.zip"), "text");
      return { file: join(folder, "text.zip") };
    },
    "must be a zip, and cannot be read as one (invalid zip data)",
  ],
  [
    "another zip",
    () => {
      writeFileSync(join(folder, "bare.zip"), zipSync({ "python/a.py": new Uint8Array([10]) }));
      return { file: join(folder, "bare.zip") };
    },
    "must be built by 'npx cdktf-aws-etl layer build', got a zip without its record layer.json",
  ],
  [
    "an old runtime",
    () => ({ file: write("old.zip", { runtime: "python3.10" }) }),
    'must be one of python3.11, python3.12, python3.13, got "python3.10", which AWS deprecated on 2026-10-31: ' +
      "it gets no security patches, and AWS refuses it for new functions sooner or later",
  ],
  [
    "an unknown architecture",
    () => ({ file: write("risc.zip", { architecture: "riscv" }) }),
    'must be one of x86_64, arm64, got "riscv"',
  ],
  [
    "too much, though the record says 1 byte",
    () => {
      const zip = readFileSync(file);
      // The size of the last file as the zip's directory declares it.
      zip.writeUInt32LE(250 * 1024 * 1024, zip.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24);
      writeFileSync(join(folder, "large.zip"), zip);
      return { file: join(folder, "large.zip") };
    },
    "must have less than 250.0 MB unzipped, got 250.0 MB; leave packages out, or use a Glue job",
  ],
])("%s is refused", (_, props, mistake) => {
  expect(refusal((stack) => make(stack, props()))).toBe(`FunctionLayer 'etl-dev/Layer': 'file' ${mistake}`);
});

test("text that only Terraform can resolve is left alone", () => {
  const artifacts = place("shop", unknownText());
  const props = { name: unknownText(), description: unknownText(), artifacts };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});
