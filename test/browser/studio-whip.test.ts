import { KliegError } from "@klieg/protocol";
import { expect, test } from "vitest";
import { WhipDoor } from "../../apps/studio/src/engine/backend/whip-door.ts";
import type { WhipState } from "../../apps/studio/src/renderer/media/whip/whip-state.ts";
import { BackendProcess } from "../harness/backend.ts";
import { StudioMediaTab } from "../harness/studio-media-tab.ts";
import { CAMERA_SOURCE, itemOf, showOf } from "../harness/studio-show.ts";
import { until } from "../harness/until.ts";

test("the studio's program goes to a backend by WHIP as H.264, comes back by itself, and stops where the key is refused (STU3, ING3)", async () => {
  await using backend = await BackendProcess.start();
  await using tab = await StudioMediaTab.open();
  const door = new WhipDoor();
  const owner = {};
  const sessions: string[] = [];
  const asked: string[] = [];
  await tab.page.exposeFunction("engine", async (type: string, input: Record<string, string>) => {
    asked.push(type);
    try {
      if (type === "whip_offer") {
        const key = input.destination_id === "wrong" ? "no-such-key" : backend.key;
        const offer = { endpoint: `${backend.http}/v1/whip`, key, sdp: input.sdp ?? "" };
        const answer = await door.offer(owner, input.destination_id ?? "", offer);
        sessions.push(answer.session);
        return { answer };
      }
      if (type === "whip_patch") {
        return { answer: { fragment: await door.patch(owner, input.session ?? "", input.fragment ?? "", true) } };
      }
      await door.end(owner, input.session ?? "");
      return { answer: {} };
    } catch (error) {
      return { refusal: KliegError.from(error).code };
    }
  });
  const show = showOf([CAMERA_SOURCE], [[itemOf("camera", { x: 320, y: 180, width: 640, height: 360 })]], [0, 0, 0]);
  show.canvas = { ...show.canvas, width: 640, height: 360 };
  await tab.run((studio, document) => studio.update(document), show);
  const encoding = {
    encoder: "auto",
    video_bitrate: 800_000,
    audio_bitrate: 128_000,
    keyframe_interval: 2,
    adaptive: true,
  };
  const start = (whip: readonly string[]) =>
    tab.run((studio, settings) => studio.media.startProgram(settings), { encoding, ways: { engine: false, whip } });
  let last: unknown;
  const becomes = (id: string, what: string, right: (state: WhipState) => boolean | undefined, timeoutMs = 15_000) =>
    until(
      async () => {
        const states = await tab.run((studio) => studio.media.whip());
        last = states;
        const state = states.find(({ destinationId }) => destinationId === id);
        return state !== undefined && right(state) === true;
      },
      { what, timeoutMs, diagnose: () => `${JSON.stringify(last)} ${asked} ${tab.complaints}` },
    );

  await start(["home", "wrong"]);
  await becomes("home", "it is live", ({ state, statistics }) => state === "live" && (statistics?.frameRate ?? 0) > 10);
  await becomes(
    "wrong",
    "it is refused for good",
    ({ state, problem }) => state === "failed" && problem?.code === "stream_key_invalid",
  );
  const stream = await backend.live();
  expect(stream.id).toBeTruthy();
  await becomes(
    "home",
    "H.264 is sent",
    ({ statistics }) => /h264/i.test(statistics?.codec ?? "") && statistics?.width === 640,
  );

  // The publication ends at the server, which the page is not told: it notices, and publishes anew.
  const [first = ""] = sessions;
  await door.end(owner, first);
  await becomes("home", "another session is live", ({ state }) => state === "live" && sessions.length > 1, 20_000);
  expect(asked).toContain("whip_patch");
  await start([]);
  await until(() => door.destinations.length === 0, { what: "the publication is ended" });
}, 60_000);
