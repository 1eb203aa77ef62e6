import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PersonMasks, type SegmentationState, type SegmentationWorker } from "./person-masks.ts";
import type { FromSegmentation, ToSegmentation } from "./segmentation-message.ts";

class FakeWorker implements SegmentationWorker {
  onmessage: ((event: MessageEvent<FromSegmentation>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly sent: ToSegmentation[] = [];
  ended = false;

  postMessage(message: ToSegmentation): void {
    this.sent.push(message);
  }

  terminate(): void {
    this.ended = true;
  }

  say(message: FromSegmentation): void {
    this.onmessage?.({ data: message } as MessageEvent<FromSegmentation>);
  }

  get pictures(): number {
    return this.sent.filter(({ type }) => type === "picture").length;
  }
}

class FakeFrame {
  clone(): FakeFrame {
    return new FakeFrame();
  }
}

let workers: FakeWorker[];
let states: SegmentationState["state"][];
let masks: PersonMasks;
const picture = new FakeFrame() as unknown as VideoFrame;
const worker = () => workers.at(-1) as FakeWorker;
const mask = (source = "camera"): FromSegmentation => ({ type: "mask", source, mask: new Uint8Array(4) });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("VideoFrame", FakeFrame);
  workers = [];
  states = [];
  masks = new PersonMasks({ onState: ({ state }) => states.push(state) }, () => {
    workers.push(new FakeWorker());
    return worker();
  });
});

afterEach(() => {
  masks[Symbol.dispose]();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("STU1: one picture of a source is looked at at a time, and a mask's memory is used again", () => {
  masks.offer("camera", picture);
  expect(worker().sent).toMatchObject([{ type: "open" }]);
  expect(masks.mask("camera")).toBeUndefined();
  worker().say({ type: "ready" });
  masks.offer("camera", picture);
  masks.offer("camera", picture);
  expect(worker().pictures).toBe(1);
  worker().say(mask());
  const first = masks.mask("camera");
  expect(first?.version).toBe(1);
  masks.offer("camera", picture);
  worker().say(mask());
  expect(masks.mask("camera")?.version).toBe(2);
  masks.offer("camera", picture);
  expect(worker().sent.at(-1)).toMatchObject({ again: first?.bytes });
  expect(states).toEqual(["opening", "running"]);
});

test("STU1: where nobody was followed, an old mask hides nothing wrongly: there is none", () => {
  masks.offer("camera", picture);
  worker().say({ type: "ready" });
  masks.offer("camera", picture);
  worker().say(mask());
  vi.advanceTimersByTime(1500);
  masks.offer("camera", picture);
  expect(masks.mask("camera")).toBeUndefined();
});

test("STU1: a search that fails, or hangs, is tried again, and hides everything meanwhile", () => {
  masks.offer("camera", picture);
  worker().say({ type: "ready" });
  masks.offer("camera", picture);
  worker().say(mask());
  const { generation } = masks;
  worker().say({ type: "failed", message: "no memory" });
  expect(masks.mask("camera")).toBeUndefined();
  expect(masks.generation).toBeGreaterThan(generation);
  expect(worker().ended).toBe(true);
  masks.offer("camera", picture);
  expect(workers).toHaveLength(1);
  vi.advanceTimersByTime(10_000);
  masks.offer("camera", picture);
  expect(workers).toHaveLength(2);
  vi.advanceTimersByTime(20_000);
  expect(states).toEqual(["opening", "running", "failed", "opening", "failed"]);
});

test("STU1: the worker goes with the last source that is asked for", () => {
  masks.offer("camera", picture);
  masks.keep(new Set(["camera"]));
  expect(worker().ended).toBe(false);
  masks.keep(new Set());
  expect(worker().ended).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
