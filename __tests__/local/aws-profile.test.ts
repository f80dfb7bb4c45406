import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { profileFiles, quoted } from "../../local/aws-profile";

/** The profile that `serve` writes, as a shell reads it. */

const at = {
  endpoint: "https://127.0.0.1:4566",
  caBundle: "/tmp/a folder/ca.pem",
  accessKeyId: "AKIAEXAMPLE",
  secretAccessKey: "s3cr3t",
};

test("the files hold the address, the certificate and the keys", () => {
  const { config, credentials } = profileFiles(at, "/x");
  expect(config).toBe(
    "[profile bench]\nregion = us-east-1\nendpoint_url = https://127.0.0.1:4566\n" +
      "ca_bundle = /tmp/a folder/ca.pem\ns3 =\n  addressing_style = path\n",
  );
  expect(credentials).toBe("[bench]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = s3cr3t\n");
});

test("a shell that reads use.sh has the profile, and no variable that would win over it", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "profile-")), "it's a folder");
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, "use.sh"), profileFiles(at, folder)["use.sh"]);
    const stronger = {
      AWS_ACCESS_KEY_ID: "other",
      AWS_SESSION_TOKEN: "other",
      AWS_ENDPOINT_URL: "https://other",
      AWS_REGION: "eu-west-1",
    };
    const shown = execFileSync("sh", ["-c", `. ${quoted(join(folder, "use.sh"))}; env`], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, ...stronger },
    });
    expect(
      shown
        .split("\n")
        .filter((line) => line.startsWith("AWS_"))
        .sort(),
    ).toEqual([
      `AWS_CONFIG_FILE=${join(folder, "config")}`,
      "AWS_PROFILE=bench",
      `AWS_SHARED_CREDENTIALS_FILE=${join(folder, "credentials")}`,
    ]);
  } finally {
    rmSync(join(folder, ".."), { recursive: true });
  }
});
