import { arrivedLine } from "../../local/arrived-files";

test.each([
  [[], "files in: 0 = 0 waiting + 0 done + 0 quarantined"],
  [["done", "waiting", "done", "quarantined"], "files in: 4 = 1 waiting + 2 done + 1 quarantined"],
  [
    ["done", "leftAlone", "gone", "copied", "leftAlone"],
    "files in: 1 = 0 waiting + 1 done + 0 quarantined; 2 left alone; 1 gone; 1 copied",
  ],
])("%j is shown as its sum and what is apart", (states, line) => {
  expect(arrivedLine(states)).toBe(line);
});
