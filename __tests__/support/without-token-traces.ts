// Where a token is made is asked of nobody in tests, and to find it through source maps is two thirds of a synthesis.
jest.mock("cdktf/lib/tokens/private/stack-trace", () => ({ captureStackTrace: () => [] }));
