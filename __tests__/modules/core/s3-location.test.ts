import { logRetentionMistake } from "../../../modules/core/log-retention";
import { partitionOf, viaService } from "../../../modules/core/partition";
import { prefixMistake, s3Uri } from "../../../modules/core/s3-location";
import { place } from "../../support/places";

test("a URI is the bucket, the prefix and the key", () => {
  expect(s3Uri(place("lake", "events/"))).toBe("s3://lake/events/");
  expect(s3Uri(place("lake", "events/"), "a.json")).toBe("s3://lake/events/a.json");
  expect(s3Uri(place("lake", ""))).toBe("s3://lake/");
});

test.each(["", "events/", "books/events/", "dt=2010-12-01/"])("%j is a prefix", (prefix) => {
  expect(prefixMistake(prefix)).toBeUndefined();
});

test.each([
  ["/events/", 'must not start with a slash, got "/events/"; S3 would take it as a folder without a name'],
  ["/", 'must not start with a slash, got "/"; S3 would take it as a folder without a name'],
  ["events", "must end in a slash, got \"events\"; without it a sibling such as 'events-old/' matches too"],
  ["a//b/", 'must not hold an empty segment, got "a//b/"'],
  ["s3://lake/events/", 'must be a prefix inside the bucket, not a URI, got "s3://lake/events/"'],
])("%j is not a prefix", (prefix, mistake) => {
  expect(prefixMistake(prefix)).toBe(mistake);
});

test.each([
  ["eu-west-1", "aws", "s3.eu-west-1.amazonaws.com"],
  ["cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn"],
  ["cn-northwest-1", "aws-cn", "s3.cn-northwest-1.amazonaws.com.cn"],
  ["us-gov-east-1", "aws-us-gov", "s3.us-gov-east-1.amazonaws.com"],
])("%s lies in the partition %s, where S3 is %s to keys", (region, partition, s3) => {
  expect(partitionOf(region)).toBe(partition);
  expect(viaService("s3", region)).toBe(s3);
});

test("CloudWatch's retention periods are a list", () => {
  const periods = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ];
  const taken = Array.from({ length: 4000 }, (_, days) => days).filter(
    (days) => logRetentionMistake(days) === undefined,
  );
  expect(taken).toEqual(periods);
  expect(logRetentionMistake(31)).toBe(`must be one of ${periods.join(", ")}, got 31`);
});
