import { expect, test } from "vitest";
import { BuildProgress } from "./build-progress.ts";

function recorded(terminal: boolean) {
  const time = { ms: 0 };
  const written: string[] = [];
  const progress = new BuildProgress({ write: (text) => written.push(text), terminal, now: () => time.ms });
  return { time, written, progress };
}

test("on a terminal one line changes, and is gone in the end", () => {
  const { time, written, progress } = recorded(true);
  progress.update(1, 200);
  time.ms = 60_000;
  progress.update(100, 200);
  time.ms = 110_000;
  progress.update(190, 200);
  progress.end();
  expect(written).toEqual([
    "\r  media worker: 1 of 200 built\u001b[K",
    "\r  media worker: 100 of 200 built, about 1 min left\u001b[K",
    "\r  media worker: 190 of 200 built, less than a minute left\u001b[K",
    "\r\u001b[K",
  ]);
});

test("elsewhere there is a line every half minute", () => {
  const { time, written, progress } = recorded(false);
  for (let step = 1; step <= 200; step += 1) {
    time.ms = step * 500;
    progress.update(step, 200);
  }
  progress.end();
  expect(written).toEqual([
    "  media worker: 60 of 200 built, about 1 min left\n",
    "  media worker: 120 of 200 built, less than a minute left\n",
    "  media worker: 180 of 200 built, less than a minute left\n",
  ]);
});

test("what an earlier build left done does not make this one look fast", () => {
  const { time, written, progress } = recorded(true);
  progress.update(100, 200);
  time.ms = 60_000;
  progress.update(150, 200);
  expect(written.at(-1)).toContain("150 of 200 built, about 1 min left");
});
