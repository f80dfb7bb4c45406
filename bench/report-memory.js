/** Preloaded into a measured process: writes its peak resident memory (KiB) where BENCH_MEMORY_REPORT says. */
const { writeFileSync } = require("node:fs");

process.on("exit", () => {
  writeFileSync(process.env.BENCH_MEMORY_REPORT, JSON.stringify({ maxRSS: process.resourceUsage().maxRSS }));
});
