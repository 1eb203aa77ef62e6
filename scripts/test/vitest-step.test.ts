import { describe, expect, test } from "vitest";
import { closingLine } from "./summary.ts";
import { countTests, type VitestReport, vitestStep } from "./vitest-step.ts";

const report = (counts: Partial<VitestReport>): VitestReport => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...counts,
});
const file = (status: string, tests: readonly [name: string, status: string][] = []) => ({
  name: "/repo/a.test.ts",
  status,
  message: "",
  assertionResults: tests.map(([fullName, testStatus]) => ({ fullName, status: testStatus })),
});

describe("counting a run of Vitest", () => {
  test("passed, failed and skipped, the latter two by name", () => {
    const results = [
      file("failed", [
        ["x", "passed"],
        ["y", "failed"],
        ["z", "skipped"],
        ["t", "todo"],
      ]),
    ];
    const counts = countTests(
      report({ numPassedTests: 1, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1, testResults: results }),
      1,
      [],
      "/repo",
    );
    expect(counts).toEqual({
      passed: 1,
      failed: 1,
      skipped: 2,
      notes: ["failed: a.test.ts: y", "skipped: a.test.ts: z", "skipped: a.test.ts: t"],
    });
  });

  test("a file that cannot be loaded is a failure", () => {
    const counts = countTests(report({ numPassedTests: 3, testResults: [file("failed")] }), 1, [], "/repo");
    expect(counts).toMatchObject({ passed: 3, failed: 1, notes: ["a.test.ts failed outside its tests"] });
  });

  test("an exit code that no failed test explains is a failure", () => {
    expect(countTests(report({ numPassedTests: 3 }), 1, [], "/repo")).toMatchObject({ passed: 3, failed: 1 });
  });

  test("no report at all is a failure", () => {
    expect(countTests(undefined, 1, ["Vitest ended by SIGKILL"], "/repo")).toMatchObject({ passed: 0, failed: 1 });
  });

  test("no tests at all are a skipped check, not a passed one", () => {
    expect(countTests(report({}), 0, [], "/repo")).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
  });
});

test("the closing line adds up the steps", () => {
  const step = vitestStep("unit", "units", false);
  const results = [
    { step, counts: { passed: 10, failed: 0, skipped: 1, notes: [] }, elapsedMs: 1 },
    { step, counts: { passed: 1, failed: 2, skipped: 0, notes: [] }, elapsedMs: 1 },
  ];
  expect(closingLine(results)).toBe("11 passed, 2 failed, 1 skipped");
});
