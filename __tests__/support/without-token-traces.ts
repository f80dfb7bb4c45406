// Tests never ask where a token was made, and finding it through source maps takes two thirds of a synthesis.
jest.mock("cdktf/lib/tokens/private/stack-trace", () => ({ captureStackTrace: () => [] }));
