import { expect, test } from "vitest";
import type { Section } from "../../bench/section.ts";
import { withSection } from "./results.ts";

const section = (measured: string, holds: boolean): Section => ({
  summary: "Ten seconds.",
  table: { columns: ["server", "requests/s"], rows: [["a|b", 12]] },
  verdicts: [{ what: "ratio", measured, budget: "≥ 0.5 ×", holds }],
  notes: ["loopback"],
});
const when = new Date("2026-01-02T03:04:05Z");

test("a section is added, then replaced in its place", () => {
  const first = withSection("", "Origin", section("0.7 ×", true), "2 × CPU", when);
  expect(first).toContain("# Results\n");
  expect(first).toContain("## Origin\n\nTen seconds.\n\n| server | requests/s |\n| --- | --- |\n| a\\|b | 12 |");
  expect(first).toContain("| ratio | 0.7 × | ≥ 0.5 × | holds |");
  expect(first).toContain("- loopback\n\n_2026-01-02, 2 × CPU_");
  const both = withSection(first, "Latency", section("1 s", true), "2 × CPU", when);
  const again = withSection(both, "Origin", section("0.4 ×", false), "4 × CPU", when);
  expect(again).toContain("| ratio | 0.4 × | ≥ 0.5 × | **missed** |");
  expect(again).not.toContain("0.7 ×");
  expect(again.indexOf("## Origin")).toBeLessThan(again.indexOf("## Latency"));
  expect(again.match(/^## /gm)).toHaveLength(2);
  expect(withSection(again, "Origin", section("0.4 ×", false), "4 × CPU", when)).toBe(again);
});
