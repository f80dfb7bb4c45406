import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group";
import { type TerraformStack } from "cdktf";
import { ArtifactFile } from "../../../modules/artifacts/artifact-file";
import { GlueSparkJob, type GlueSparkJobProps } from "../../../modules/glue-spark-job/glue-spark-job";
import { ARTIFACTS, KEY_ARN, place, PROCESSED, RAW } from "../../support/places";
import { ACCOUNT, REGION, refusal, synth, unknownText } from "../../support/synth";

/** A job brings Python packages, jars, files and connections beside its script. */

const WHEEL = "acme_rates-1.2.0-py3-none-any.whl";
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-code-"));
  for (const name of ["clean.py", "a.jar", "b.jar", "rates.json", "with space.json", WHEEL]) {
    writeFileSync(join(folder, name), name);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);
const make = (stack: TerraformStack, props: Partial<GlueSparkJobProps> = {}, id = "Job"): GlueSparkJob =>
  new GlueSparkJob(stack, id, {
    name: "clean",
    script: path("clean.py"),
    artifacts: ARTIFACTS,
    inputs: [RAW],
    outputs: [PROCESSED],
    capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
    account: ACCOUNT,
    region: REGION,
    ...props,
  });
const refused = (props: Partial<GlueSparkJobProps>): string[] =>
  refusal((stack) => make(stack, props))
    .replace("GlueSparkJob 'etl-dev/Job': ", "")
    .split(/; (?=')/);

describe("files", () => {
  const KEYED = { ...place("vendor", "drivers/ojdbc11.jar"), encryptionKeyArn: KEY_ARN };

  test("local ones are uploaded by their content, others are read where they are, in order, each with its right", () => {
    const { at, counts, reference, statements } = synth((stack) => {
      const shared = new ArtifactFile(stack, "Shared", {
        source: path("b.jar"),
        artifacts: ARTIFACTS,
        prefix: "shared/",
      });
      make(stack, {
        jars: [path("a.jar"), "s3://public-jars/x/spark-xml.jar", shared, { location: KEYED }],
        extraFiles: [path("rates.json")],
        pythonModules: ["pandas==2.2.3", path(WHEEL), `s3://wheels/${WHEEL.replace("acme_rates", "other")}`],
      });
    });
    const uri = (id: string) => `s3://artifacts-bucket/${reference(`${id}/Resource`, "key")}`;
    expect(at("Job/Resource").default_arguments).toMatchObject({
      "--extra-jars": [
        uri("Job/Jars/a.jar"),
        "s3://public-jars/x/spark-xml.jar",
        uri("Shared"),
        "s3://vendor/drivers/ojdbc11.jar",
      ].join(","),
      "--extra-files": uri("Job/ExtraFiles/rates.json"),
      "--additional-python-modules": [
        "pandas==2.2.3",
        uri(`Job/PythonModules/${WHEEL}`),
        "s3://wheels/other-1.2.0-py3-none-any.whl",
      ].join(","),
    });
    expect(counts.aws_s3_object).toBe(5);
    const keys = ["Job/Jars/a.jar", "Job/ExtraFiles/rates.json", `Job/PythonModules/${WHEEL}`, "Shared"].map(
      (id) => at(`${id}/Resource`).key as string,
    );
    expect(keys).toEqual([
      expect.stringMatching(/^jars\/[0-9a-f]{16}\/a\.jar$/),
      expect.stringMatching(/^files\/[0-9a-f]{16}\/rates\.json$/),
      expect.stringMatching(new RegExp(`^wheels/[0-9a-f]{16}/${WHEEL.replaceAll(".", "\\.")}$`)),
      expect.stringMatching(/^shared\/[0-9a-f]{16}\/b\.jar$/),
    ]);
    const all = statements("Job/Role/Policy/Resource");
    const read = all.find(({ Action }) => JSON.stringify(Action) === '"s3:GetObject"')!.Resource;
    expect(read).toEqual(
      expect.arrayContaining([
        ...keys.map((key) => `arn:aws:s3:::artifacts-bucket/${key}`),
        "arn:aws:s3:::public-jars/x/spark-xml.jar",
        "arn:aws:s3:::vendor/drivers/ojdbc11.jar",
        "arn:aws:s3:::wheels/other-1.2.0-py3-none-any.whl",
      ]),
    );
    expect(
      all.filter(({ Action }) => JSON.stringify(Action).includes("kms:")).flatMap(({ Resource }) => Resource),
    ).toContain(KEY_ARN);
  });

  test("without them there is no trace of them", () => {
    const { at, json } = synth((stack) => make(stack, { jars: [], extraFiles: [], pythonModules: [] }));
    expect(Object.keys(at("Job/Resource").default_arguments as object).join()).not.toMatch(/extra-|python/);
    expect(json).not.toContain("GetConnection");
    expect(json).not.toContain("ec2:");
    expect(at("Job/Resource").connections).toBeUndefined();
  });

  test("a file that comes before another moves no address; new content is a new object", () => {
    const key = (props: Partial<GlueSparkJobProps>): unknown =>
      synth((stack) => make(stack, props)).at("Job/Jars/b.jar/Resource").key;
    const before = key({ jars: [path("b.jar")] });
    expect(key({ jars: [path("a.jar"), path("b.jar")] })).toBe(before);
    writeFileSync(path("b.jar"), "changed");
    expect(key({ jars: [path("b.jar")] })).not.toBe(before);
  });

  test("in China a URI's right is of its partition", () => {
    const { json } = synth((stack) => make(stack, { region: "cn-north-1", jars: ["s3://jars/a.jar"] }));
    expect(json).toContain("arn:aws-cn:s3:::jars/a.jar");
  });

  test("two jobs with one jar and one prefix are refused by the job's name; a shared ArtifactFile serves both", () => {
    const two = (jars: (stack: TerraformStack) => GlueSparkJobProps["jars"]) => (stack: TerraformStack) => {
      make(stack, { jars: jars(stack) });
      const other = { name: "other", artifacts: place("artifacts-bucket", "other/") };
      make(stack, { ...other, jars: jars(stack) }, "Other");
    };
    expect(() => synth(two(() => [path("a.jar")]))).not.toThrow();
    const same = (stack: TerraformStack) => {
      make(stack, { jars: [path("a.jar")] });
      writeFileSync(path("other.py"), "2");
      make(stack, { name: "other", script: path("other.py"), jars: [path("a.jar")] }, "Other");
    };
    expect(() => synth(same)).toThrow(
      /GlueSparkJob 'etl-dev\/Other': 'artifacts' must lead to a key of its own, got s3:\/\/artifacts-bucket\/jars\//,
    );
  });

  test.each<[string, Partial<GlueSparkJobProps>, string[]]>([
    [
      "each mistake of each file, at once",
      {
        jars: [
          "lib/a.jar",
          "s3://jars/",
          "s3://<bucket>/a.jar",
          { location: place("jars", "all/") },
          "s3://j/a.zip",
        ],
        extraFiles: ["/nowhere/rates.json"],
        connections: [{ connectionName: "" }],
      },
      [
        "'jars[0]' must be an absolute path, got 'lib/a.jar'; use join(__dirname, …)",
        "'jars[1]' must be the URI of one object, s3://<bucket>/<key>, got 's3://jars/': Glue takes no folders",
        "'jars[2]' still holds a placeholder, got \"s3://<bucket>/a.jar\"; fill it in",
        "'jars[3]' must be one object, got the folder \"all/\": Glue takes no folders",
        "'jars[4]' must be a .jar file, got 'a.zip'",
        "'extraFiles[0]' must be a file, got '/nowhere/rates.json', which does not exist or is not a file",
        "'connections[0].connectionName' must be the name of a connection, 1 to 255 characters without commas, got \"\"",
      ],
    ],
    [
      "names that would replace each other, or Glue's list would split",
      { extraFiles: ["s3://a/x.json", "s3://b/x.json", "s3://a/b,c/y.json", "s3://a/clean.py"] },
      [
        "'extraFiles[1]' must have a name of its own, got 'x.json' like 'extraFiles[0]': one file would replace the other",
        "'extraFiles[2]' must be named without commas and white space, got 's3://a/b,c/y.json': Glue takes all files as one list",
        "'extraFiles[3]' must not have the script's name, got 'clean.py': both lie in one folder",
      ],
    ],
  ])("refused: %s", (_, props, messages) => {
    expect(refused(props)).toEqual(messages);
  });

  test("a local file with white space in its name is refused", () => {
    expect(refused({ extraFiles: [path("with space.json")] })).toEqual([
      "'extraFiles[0]' must be named without commas and white space, got 'with space.json': Glue takes all files as one list",
    ]);
  });
});

describe("Python packages", () => {
  const unpinned = (name: string, got: string) =>
    `'pythonModules[0]' must be pinned like '${name}==1.2.3', or be a wheel, got "${got}": each run installs it anew, and another ` +
    "version could arrive with any run";
  const unfit = (version: string, minor: number, name: string) =>
    `'pythonModules[0]' must fit Python 3.${minor} on Linux x86_64, which Glue ${version} runs, got '${name}'; build or download it for that`;

  test.each<[string, string]>([
    ["pandas", unpinned("pandas", "pandas")],
    ["pandas>=2", unpinned("pandas", "pandas>=2")],
    ["pandas==2.*", unpinned("pandas", "pandas==2.*")],
    ["pandas==2.2.3 ; python_version>'3'", unpinned("pandas", "pandas==2.2.3 ; python_version>'3'")],
    ["pandas[a,b]==2.2.3", unpinned("pandas", "pandas[a,b]==2.2.3")],
    ["git+https://x.example/y", unpinned("git", "git+https://x.example/y")],
    ["-r", unpinned("pandas", "-r")],
    [
      "s3://w/requirements.txt",
      "'pythonModules[0]' must be named as a wheel, <name>-<version>-<python>-<abi>-<platform>.whl, got 'requirements.txt': pip reads these parts",
    ],
    [
      "s3://w/a-1-cp310-cp310-manylinux_2_17_x86_64.whl",
      unfit("5.1", 11, "a-1-cp310-cp310-manylinux_2_17_x86_64.whl"),
    ],
    [
      "s3://w/a-1-cp311-cp311-macosx_11_0_arm64.whl",
      unfit("5.1", 11, "a-1-cp311-cp311-macosx_11_0_arm64.whl"),
    ],
    [
      "s3://w/a-1-cp311-cp311-manylinux2014_aarch64.whl",
      unfit("5.1", 11, "a-1-cp311-cp311-manylinux2014_aarch64.whl"),
    ],
    ["s3://w/a-1-py2-none-any.whl", unfit("5.1", 11, "a-1-py2-none-any.whl")],
  ])("refused: %s", (module, message) => {
    expect(refused({ pythonModules: [module] })).toEqual([message]);
  });

  test("a wheel for the Python of another Glue version is refused", () => {
    const wheel = "a-1-cp311-cp311-manylinux2014_x86_64.whl";
    const props = { pythonModules: [`s3://w/${wheel}`] };
    expect(() => synth((stack) => make(stack, props))).not.toThrow();
    expect(refused({ ...props, glueVersion: "6.0" })).toEqual([unfit("6.0", 13, wheel)]);
  });

  test.each([
    "pandas==2.2.3",
    "pyiceberg[glue]==0.11.1",
    "torch==2.3.0+cpu",
    "s3://w/a-1-py2.py3-none-any.whl",
    "s3://w/a-1-1-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
  ])("taken: %s", (module) => {
    expect(() => synth((stack) => make(stack, { pythonModules: [module] }))).not.toThrow();
  });

  test("one package twice is refused, however it is spelt", () => {
    expect(
      refused({ pythonModules: ["Acme-Rates==1.0", "s3://w/acme_rates-1.2.0-py3-none-any.whl"] }),
    ).toEqual(["'pythonModules[1]' must name a package once, got 'acme-rates' like 'pythonModules[0]'"]);
  });

  test("pip's options, in words of its command line", () => {
    const { at } = synth((stack) =>
      make(stack, {
        pythonModules: ["a==1"],
        pythonInstaller: { noIndex: true, findLinks: "https://wheels.example/all/", noDependencies: true },
      }),
    );
    expect(at("Job/Resource").default_arguments).toMatchObject({
      "--python-modules-installer-option": "--no-index --find-links https://wheels.example/all/ --no-deps",
    });
  });

  test("options that cannot work are refused", () => {
    const pythonInstaller = { indexUrl: "http://pypi.example/simple", noIndex: true };
    expect(refused({ pythonModules: ["a==1"], pythonInstaller })).toEqual([
      "'pythonInstaller.indexUrl' must be an https address without white space, got \"http://pypi.example/simple\"",
      "'pythonInstaller.noIndex' excludes 'pythonInstaller.indexUrl'; leave one of them out",
      "'pythonInstaller.noIndex' leaves pip no place to find a==1; give wheels, or set 'pythonInstaller.findLinks'",
    ]);
    expect(refused({ pythonInstaller: { indexUrl: "https://me:secret@pypi.example/" } })).toEqual([
      "'pythonInstaller' needs 'pythonModules'; leave it out, or add modules",
      expect.stringMatching(
        /^'pythonInstaller\.indexUrl' looks like a password in an address, (?!.*me:secret)/,
      ),
    ]);
  });
});

describe("connections", () => {
  const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop-a1b2c3`;
  const glue = `arn:aws:glue:${REGION}:${ACCOUNT}`;
  const rights = (connections: GlueSparkJobProps["connections"]) =>
    synth((stack) => make(stack, { connections }))
      .statements("Job/Role/Policy/Resource")
      .filter(({ Action }) => /glue:|ec2:|secretsmanager:|"kms:Decrypt"/.test(JSON.stringify([Action])))
      .filter(({ Condition }) => !JSON.stringify(Condition ?? "").includes('"s3.'));

  test("by name: the right to look it up, and no other", () => {
    expect(rights([{ connectionName: "depots" }])).toEqual([
      {
        Effect: "Allow",
        Action: "glue:GetConnection",
        Resource: [`${glue}:catalog`, `${glue}:connection/depots`],
      },
    ]);
  });

  test("in a VPC with a secret: interfaces with Glue's tag, the secret and its key", () => {
    const shop = { connectionName: "shop", subnetId: "subnet-1", secretArn: SECRET, secretKeyArn: KEY_ARN };
    const found = rights([shop]);
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        {
          Effect: "Allow",
          Action: "glue:GetConnection",
          Resource: [`${glue}:catalog`, `${glue}:connection/shop`],
        },
        { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: SECRET },
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: KEY_ARN,
          Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${REGION}.amazonaws.com` } },
        },
        {
          Effect: "Allow",
          Action: [
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcEndpoints",
          ],
          Resource: "*",
        },
        {
          Effect: "Allow",
          Action: ["ec2:CreateTags", "ec2:DeleteTags"],
          Resource: `arn:aws:ec2:${REGION}:${ACCOUNT}:network-interface/*`,
          Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": "aws-glue-service-resource" } },
        },
      ]),
    );
  });

  test("the job names them in order, and waits for what they need", () => {
    const { address, at } = synth((stack) => {
      const group = new SecurityGroup(stack, "Group", { name: "group" });
      make(stack, {
        connections: [{ connectionName: "b", dependencies: [group] }, { connectionName: "a" }],
      });
    });
    expect(at("Job/Resource").connections).toEqual(["b", "a"]);
    expect(at("Job/Resource").depends_on).toContain(address("Group"));
  });

  test("refused, all at once", () => {
    const connections = [
      { connectionName: "a", subnetId: "subnet-1" },
      { connectionName: "a", subnetId: "subnet-2" },
      { connectionName: "b,c", secretArn: "hunter2" },
      { connectionName: "d", secretKeyArn: KEY_ARN },
    ];
    expect(refused({ connections })).toEqual([
      "'connections[1].connectionName' must be listed once, got 'a' like 'connections[0]'",
      "'connections[1].subnetId' must be the subnet of 'connections[0]', subnet-1, got subnet-2: a run is in one subnet, and could not " +
        "reach the other connection",
      "'connections[2].connectionName' must be the name of a connection, 1 to 255 characters without commas, got \"b,c\"",
      "'connections[2].secretArn' must be the ARN of a secret in Secrets Manager",
      "'connections[3].secretKeyArn' needs 'secretArn'; leave it out, or name the secret",
    ]);
  });
});

test("what only Terraform can resolve is left alone, except a file without a place", () => {
  const text = unknownText();
  const one = {
    jars: [`s3://${text}/${text}/a.jar`, { location: place(text, text) }],
    extraFiles: [`s3://${text}/x.json`],
    pythonModules: [{ location: place(text, text) }],
    connections: [{ connectionName: text, subnetId: text, secretArn: text, secretKeyArn: text }],
  };
  expect(() => synth((stack) => make(stack, one))).not.toThrow();
  expect(refused({ jars: [text] })).toEqual([
    "'jars[0]' must begin with 's3://', or be { location }: the role's right is derived from it",
  ]);
});
