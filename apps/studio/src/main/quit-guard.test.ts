import { expect, test } from "vitest";
import { type Activity, QuitGuard } from "./quit-guard.ts";

function guarded(activity: Activity) {
  const told: string[] = [];
  const questions: PromiseWithResolvers<boolean>[] = [];
  const stops: PromiseWithResolvers<void>[] = [];
  const quit = Promise.withResolvers<void>();
  const guard = new QuitGuard({
    activity: () => activity,
    ask: () => {
      told.push("ask");
      const question = Promise.withResolvers<boolean>();
      questions.push(question);
      return question.promise;
    },
    stop: () => {
      told.push("stop");
      const stop = Promise.withResolvers<void>();
      stops.push(stop);
      return stop.promise;
    },
    quit: () => {
      told.push(guard.request() ? "quit" : "kept");
      quit.resolve();
    },
  });
  return { guard, told, questions, stops, quit: quit.promise };
}

test("idle: the engine is stopped, then the app quits, once (STU9)", async () => {
  const { guard, told, stops, quit } = guarded({ onAir: false, recording: false });
  expect([guard.request(), guard.request()]).toEqual([false, false]);
  stops[0]?.resolve();
  await quit;
  expect(told).toEqual(["stop", "quit"]);
});

test("on air: asked once, and the answer counts (STU9)", async () => {
  const { guard, told, questions, stops, quit } = guarded({ onAir: true, recording: false });
  expect([guard.request(), guard.request()]).toEqual([false, false]);
  questions[0]?.resolve(false);
  await questions[0]?.promise;
  await Promise.resolve();
  expect(told).toEqual(["ask"]);
  guard.request();
  questions[1]?.resolve(true);
  await questions[1]?.promise;
  await Promise.resolve();
  stops[0]?.reject(new Error("the engine is gone"));
  await quit;
  expect(told).toEqual(["ask", "ask", "stop", "quit"]);
});

test("the system shuts down while the question is open: nobody waits for the answer", async () => {
  const { guard, told, questions, stops, quit } = guarded({ onAir: true, recording: true });
  guard.request();
  guard.request(true);
  questions[0]?.resolve(true);
  stops[0]?.resolve();
  await quit;
  expect(told).toEqual(["ask", "stop", "quit"]);
});
