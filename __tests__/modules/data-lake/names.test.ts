import * as fc from "fast-check";
import {
  bucketName,
  databasePrefixMistake,
  nameLengthMistake,
  namePrefixMistake,
  Zone,
} from "../../../modules/data-lake/zone";

/** Whatever prefix is taken, every name made of it is one that AWS takes; what is not taken would have broken one. */

const ZONES = Object.values(Zone);
const REGIONS = ["eu-west-1", "ap-southeast-2", "cn-northwest-1", "us-gov-east-1", "ap-northeast-1"];

const region = fc.constantFrom(...REGIONS);
const account = fc.stringMatching(/^[0-9]{12}$/);
/** Anything at all, and things that are nearly right, which is where the mistakes are. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc
    .array(
      fc.constantFrom("etl", "dev", "-", "--", "_", ".", "A", "9", "xn--", "sthree", "amzn-s3-demo", "é"),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join("")),
  fc.stringMatching(/^[a-z0-9]{1,30}$/),
);

/** Rules of AWS's page "General purpose bucket naming rules", each by itself. */
function isBucketName(name: string): boolean {
  return (
    name.length >= 3 &&
    name.length <= 63 &&
    /^[a-z0-9.-]+$/.test(name) &&
    /^[a-z0-9].*[a-z0-9]$/.test(name) &&
    !name.includes("..") &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)
  );
}

test("any prefix that is taken gives names of buckets, without dots, which would break TLS", () => {
  let taken = 0;
  fc.assert(
    fc.property(text, account, region, (prefix, account, region) => {
      if ((namePrefixMistake(prefix) ?? nameLengthMistake(prefix, account, region)) !== undefined) return;
      taken += 1;
      for (const zone of ZONES) {
        const name = bucketName(prefix, zone, account, region);
        expect({ name, valid: isBucketName(name) && !name.includes(".") }).toEqual({ name, valid: true });
      }
    }),
    { numRuns: 2000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test("no prefix is refused for its length while every name would fit", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]{1,40}$/), account, region, (prefix, account, region) => {
      const fit = ZONES.every((zone) => bucketName(prefix, zone, account, region).length <= 63);
      expect(nameLengthMistake(prefix, account, region) === undefined).toBe(fit);
    }),
  );
});

test("zones of a lake have names of their own", () => {
  fc.assert(
    fc.property(text, account, region, (prefix, account, region) => {
      expect(new Set(ZONES.map((zone) => bucketName(prefix, zone, account, region))).size).toBe(ZONES.length);
    }),
  );
});

test("any prefix that is taken gives names of databases that need no quotes", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(text, fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/)), (prefix) => {
      if (databasePrefixMistake(prefix) !== undefined) return;
      taken += 1;
      expect(`${prefix}_raw`).toMatch(/^[a-z][a-z0-9_]*$/);
    }),
    { numRuns: 500 },
  );
  expect(taken).toBeGreaterThan(50);
});
