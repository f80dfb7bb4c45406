import { Lazy, TerraformOutput, type TerraformStack } from "cdktf";
import { crawlerConfiguration } from "../../../modules/glue-crawler/crawler-configuration";
import { GlueCrawler, type GlueCrawlerProps } from "../../../modules/glue-crawler/glue-crawler";
import { ServiceRole } from "../../../modules/iam/service-role";
import { DATABASE, keyStatement, listStatement, place, RAW, ROLE } from "../../support/places";
import { ACCOUNT, byText, REGION, refusal, synth, unknownText } from "../../support/synth";

const minimum: GlueCrawlerProps = {
  name: "etl-dev-events-raw",
  target: RAW,
  database: DATABASE,
  account: ACCOUNT,
  region: REGION,
};
const make = (stack: TerraformStack, props: Partial<GlueCrawlerProps> = {}, id = "Crawler"): GlueCrawler =>
  new GlueCrawler(stack, id, { ...minimum, ...props });

const fillCatalogue = {
  Effect: "Allow",
  Action: [
    "glue:BatchCreatePartition",
    "glue:BatchGetPartition",
    "glue:BatchUpdatePartition",
    "glue:CreatePartition",
    "glue:CreateTable",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
    "glue:UpdatePartition",
    "glue:UpdateTable",
  ],
  Resource: [DATABASE.catalogArn, DATABASE.arn, `arn:aws:glue:${REGION}:${ACCOUNT}:table/${DATABASE.name}/*`],
};
const readDatabase = {
  Effect: "Allow",
  Action: "glue:GetDatabase",
  Resource: [DATABASE.catalogArn, DATABASE.arn],
};
const logGroup = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws-glue/crawlers`;
const writeLogs = [
  { Effect: "Allow", Action: "logs:CreateLogGroup", Resource: [logGroup, `${logGroup}:*`] },
  { Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: `${logGroup}:*` },
];

test("minimum: an S3 crawl of everything that was not left over, with a role of its own", () => {
  const { address, at, built, counts, reference } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_glue_crawler: 1, aws_iam_role: 1, aws_iam_role_policy: 1 });
  expect(at("Crawler/Resource")).toEqual({
    name: "etl-dev-events-raw",
    role: reference("Crawler/Role/Resource", "arn"),
    database_name: "analytics_raw",
    s3_target: [
      {
        path: "s3://raw-bucket/events/",
        exclusions: ["**.tmp", "**/_SUCCESS", "**/_temporary/**", "**/.spark-staging-*/**"],
      },
    ],
    schema_change_policy: { update_behavior: "UPDATE_IN_DATABASE", delete_behavior: "LOG" },
    recrawl_policy: { recrawl_behavior: "CRAWL_EVERYTHING" },
    configuration:
      '{"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}},' +
      '"Grouping":{"TableGroupingPolicy":"CombineCompatibleSchemas"},"Version":1}',
    depends_on: [address("Crawler/Role/Policy/Resource")],
  });
  expect(built.role).toBeInstanceOf(ServiceRole);
});

test("its role: assumed by Glue for this account, and rights on these things only", () => {
  const { at, statements } = synth((stack) => make(stack));
  expect(at("Crawler/Role/Resource").name).toBe("etl-dev-events-raw-crawler");
  expect(statements("Crawler/Role/Resource", "assume_role_policy")).toEqual([
    {
      Effect: "Allow",
      Principal: { Service: "glue.amazonaws.com" },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
  ]);
  expect(byText(statements("Crawler/Role/Policy/Resource"))).toEqual(
    byText([
      {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::raw-bucket/events/*",
      },
      listStatement("arn:aws:s3:::raw-bucket", "events/"),
      keyStatement("kms:Decrypt"),
      readDatabase,
      fillCatalogue,
      ...writeLogs,
    ]),
  );
});

test("every prop changed", () => {
  const all = {
    name: "other",
    description: "Crawls others",
    target: place("other-bucket", "x/"),
    database: {
      name: "other_db",
      arn: "arn:aws-us-gov:glue:us-gov-west-1:111122223333:database/other_db",
      catalogArn: "arn:aws-us-gov:glue:us-gov-west-1:111122223333:catalog",
    },
    account: "111122223333",
    region: "us-gov-west-1",
    exclusions: ["**.bak"],
    tablePrefix: "raw_",
    grouping: { combineCompatibleSchemas: false, tableLevel: 3 },
    schemaChange: { update: "LOG", delete: "LOG" },
    recrawl: "CRAWL_NEW_FOLDERS_ONLY",
    tags: { team: "data" },
  } satisfies GlueCrawlerProps;
  const { at, statements } = synth((stack) => make(stack, all));
  expect(at("Crawler/Resource")).toMatchObject({
    name: "other",
    description: "Crawls others",
    database_name: "other_db",
    table_prefix: "raw_",
    s3_target: [{ path: "s3://other-bucket/x/", exclusions: ["**.bak"] }],
    schema_change_policy: { update_behavior: "LOG", delete_behavior: "LOG" },
    recrawl_policy: { recrawl_behavior: "CRAWL_NEW_FOLDERS_ONLY" },
    configuration:
      '{"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}},"Grouping":{"TableLevelConfiguration":3},"Version":1}',
    tags: { team: "data" },
  });
  expect(at("Crawler/Role/Resource").tags).toEqual({ team: "data" });
  expect(statements("Crawler/Role/Policy/Resource")).toContainEqual(
    expect.objectContaining({
      Resource: [
        "arn:aws-us-gov:glue:us-gov-west-1:111122223333:catalog",
        "arn:aws-us-gov:glue:us-gov-west-1:111122223333:database/other_db",
        "arn:aws-us-gov:glue:us-gov-west-1:111122223333:table/other_db/*",
      ],
    }),
  );
});

test.each([
  ["LOG", false],
  ["DEPRECATE_IN_DATABASE", false],
  ["DELETE_FROM_DATABASE", true],
] as const)("what is gone: %s takes the right to delete: %s", (remove, mayDelete) => {
  const { at, statements } = synth((stack) => make(stack, { schemaChange: { delete: remove } }));
  expect(at("Crawler/Resource").schema_change_policy).toEqual({
    update_behavior: "UPDATE_IN_DATABASE",
    delete_behavior: remove,
  });
  const actions = statements("Crawler/Role/Policy/Resource").flatMap(({ Action }) => Action);
  for (const action of ["glue:DeleteTable", "glue:BatchDeletePartition"]) {
    expect(actions.includes(action)).toBe(mayDelete);
  }
});

test("a brought role is used and given what is needed, and none is made", () => {
  const { address, at, counts, statements } = synth((stack) =>
    make(stack, { role: ServiceRole.fromRoleAttributes(stack, "Brought", ROLE) }),
  );
  expect(counts).toEqual({ aws_glue_crawler: 1, aws_iam_role_policy: 1 });
  expect(at("Crawler/Resource")).toMatchObject({
    role: ROLE.roleArn,
    depends_on: [address("Brought/Policy/Resource")],
  });
  expect(at("Brought/Policy/Resource").role).toBe("brought");
  expect(statements("Brought/Policy/Resource")).toContainEqual(fillCatalogue);
});

test("in China: ARNs of its partition, and a key that knows S3 by its name there", () => {
  const here = (arn: string) => arn.replace("arn:aws:", "arn:aws-cn:").replace(REGION, "cn-north-1");
  const database = { ...DATABASE, arn: here(DATABASE.arn), catalogArn: here(DATABASE.catalogArn) };
  const { statements } = synth((stack) => make(stack, { region: "cn-north-1", database }));
  const given = statements("Crawler/Role/Policy/Resource");
  expect(given).toContainEqual({
    ...writeLogs[0],
    Resource: [logGroup, `${logGroup}:*`].map(here),
  });
  expect(given.flatMap(({ Resource }) => Resource)).toContain(
    `arn:aws-cn:glue:cn-north-1:${ACCOUNT}:table/${DATABASE.name}/*`,
  );
  expect(given.find(({ Action }) => Action === "kms:Decrypt")?.Condition).toEqual({
    StringEquals: { "kms:ViaService": "s3.cn-north-1.amazonaws.com.cn" },
  });
});

test("a bucket without a key takes no right to one", () => {
  const { json } = synth((stack) => make(stack, { target: place("raw-bucket", "events/") }));
  expect(json).not.toContain("kms:");
});

test("two in one stack keep their rights apart", () => {
  const { counts, statements } = synth((stack) => {
    make(stack);
    make(stack, { name: "other", target: place("other-bucket", "") }, "Other");
  });
  expect(counts).toMatchObject({ aws_glue_crawler: 2, aws_iam_role: 2 });
  expect(JSON.stringify(statements("Crawler/Role/Policy/Resource"))).not.toContain("other-bucket");
});

test("what it made can be read back", () => {
  const { outputs, reference } = synth((stack) => {
    const { crawlerName, crawlerArn } = make(stack);
    new TerraformOutput(stack, "crawler", { value: { crawlerName, crawlerArn } });
  });
  expect(outputs.crawler?.value).toEqual({
    crawlerName: reference("Crawler/Resource", "name"),
    crawlerArn: reference("Crawler/Resource", "arn"),
  });
});

test("the configuration is canonical: keys sorted, whatever the order of settings", () => {
  expect(crawlerConfiguration({ tableLevel: 2, combineCompatibleSchemas: true })).toBe(
    crawlerConfiguration({ combineCompatibleSchemas: true, tableLevel: 2 }),
  );
  expect(crawlerConfiguration({ tableLevel: 2 })).toBe(
    '{"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}},' +
      '"Grouping":{"TableGroupingPolicy":"CombineCompatibleSchemas","TableLevelConfiguration":2},"Version":1}',
  );
  expect(crawlerConfiguration({ combineCompatibleSchemas: false })).toBe(
    '{"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}},"Version":1}',
  );
});

describe("refusals", () => {
  test("all at once", () => {
    expect(
      refusal((stack) =>
        make(stack, {
          name: "events raw",
          description: "TODO",
          target: place("raw-bucket", "/events"),
          account: "42",
          tablePrefix: "Raw-",
          exclusions: ["**.tmp", "s3://raw-bucket/x/**"],
          grouping: { tableLevel: 0 },
        }),
      ),
    ).toBe(
      "GlueCrawler 'etl-dev/Crawler': 'description' still holds a placeholder, got \"TODO\"; fill it in; " +
        "'account' must be an AWS account id of 12 digits, got \"42\"; " +
        "'name' must be 1 to 56 letters, digits or _.- (its role is named '<name>-crawler'), got \"events raw\" with 10; " +
        "'target.prefix' must not start with a slash, got \"/events\"; S3 would take it as a folder without a name; " +
        "'tablePrefix' must be 1 to 128 lower-case letters, digits or underscores, got \"Raw-\"; anything else must be quoted in every query; " +
        "'exclusions[1]' must be a glob relative to the target, got \"s3://raw-bucket/x/**\"; remove everything before the folder's name; " +
        "'grouping.tableLevel' must be a whole number, at least 1 (the bucket), got 0",
    );
  });

  test.each([
    [undefined, "UPDATE_IN_DATABASE and LOG"],
    [{ update: "LOG", delete: "DEPRECATE_IN_DATABASE" } as const, "LOG and DEPRECATE_IN_DATABASE"],
    [{ delete: "DELETE_FROM_DATABASE" } as const, "UPDATE_IN_DATABASE and DELETE_FROM_DATABASE"],
  ])("new folders only, with schema changes %j", (schemaChange, got) => {
    expect(refusal((stack) => make(stack, { recrawl: "CRAWL_NEW_FOLDERS_ONLY", schemaChange }))).toBe(
      `GlueCrawler 'etl-dev/Crawler': 'recrawl' CRAWL_NEW_FOLDERS_ONLY takes schema changes LOG and LOG only, got ${got}; ` +
        "set 'schemaChange' to { update: \"LOG\", delete: \"LOG\" }, or 'recrawl' to CRAWL_EVERYTHING",
    );
  });

  test("a long name needs a brought role", () => {
    const name = "a".repeat(57);
    expect(refusal((stack) => make(stack, { name }))).toContain("'name' must be 1 to 56 letters");
    expect(() =>
      synth((stack) => make(stack, { name, role: ServiceRole.fromRoleAttributes(stack, "Brought", ROLE) })),
    ).not.toThrow();
  });
});

test("what only Terraform can resolve is left alone", () => {
  const text = unknownText();
  expect(() =>
    synth((stack) =>
      make(stack, {
        name: text,
        description: text,
        target: { ...RAW, bucketName: text, prefix: text },
        account: text,
        tablePrefix: text,
        exclusions: [text],
        grouping: { tableLevel: Lazy.numberValue({ produce: () => 3 }) },
      }),
    ),
  ).not.toThrow();
});

describe("a database of elsewhere", () => {
  const database = (place: string, name = "shop") => ({
    name,
    arn: `arn:aws:glue:${place}:database/shop`,
    catalogArn: `arn:aws:glue:${place}:catalog`,
  });
  const why =
    "a crawler fills databases of its own account and region; crawl there, or name a database or a resource link of this account";
  const own = `arn:aws:glue:${REGION}:${ACCOUNT}:`;

  test.each([
    ["another account", `${REGION}:999988887777`],
    ["another region", `sa-east-1:${ACCOUNT}`],
  ])("%s is refused: its tables would lie in this account", (_, place) => {
    const message = refusal((stack) => make(stack, { database: database(place) }));
    expect(message).toBe(
      `GlueCrawler 'etl-dev/Crawler': 'database.arn' must be ${own}database/shop, got "arn:aws:glue:${place}:database/shop": ${why}; ` +
        `'database.catalogArn' must be ${own}catalog, got "arn:aws:glue:${place}:catalog": ${why}`,
    );
  });

  test("an ARN that is another database's is refused; what only Terraform knows is not", () => {
    const here = database(`${REGION}:${ACCOUNT}`, "other");
    expect(refusal((stack) => make(stack, { database: here }))).toContain(
      `'database.arn' must be ${own}database/other, got "${own}database/shop"`,
    );
    for (const later of [{ name: unknownText() }, { arn: unknownText() }, { catalogArn: unknownText() }])
      expect(() =>
        synth((stack) => make(stack, { database: { ...database(`${REGION}:${ACCOUNT}`), ...later } })),
      ).not.toThrow();
  });
});
