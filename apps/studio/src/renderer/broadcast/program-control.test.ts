import { ManualClock } from "@klieg/base";
import { IDLE_BROADCAST, IDLE_RECORDING, type StudioEvent } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { newDocument } from "../../document/studio-document.ts";
import type { LinkState } from "../link/studio-link.ts";
import type { ProgramSettings } from "../media/media-contract.ts";
import { EngineStore } from "../state/engine-store.ts";
import { ShowStore } from "../state/show-store.ts";
import { EngineEnd, WELCOME } from "../state/testing/engine-end.ts";
import { ProgramControl } from "./program-control.ts";

const open: LinkState = { state: "open", welcome: WELCOME };
const home = {
  id: "home",
  name: "Home",
  enabled: true,
  kind: "klieg",
  url: "http://localhost:8080",
  channel: "",
  protocol: "srt",
} as const;
const sending: StudioEvent = {
  event: "broadcast",
  broadcast: {
    ...IDLE_BROADCAST,
    state: "starting",
    destinations: [
      {
        id: "home",
        state: "waiting",
        since: 0,
        attempt: 0,
        next_attempt_at: null,
        problem: null,
        stream_id: null,
        watch_url: null,
      },
    ],
  },
};
const idle: StudioEvent = { event: "broadcast", broadcast: IDLE_BROADCAST };

/** A page whose engine tells what the test says, and what its media were told to do. */
async function page() {
  const document = { ...newDocument("Scene"), destinations: [home] };
  const link = new EngineEnd(open);
  // Only the show is asked for.
  link.answer = () => ({ document, problem: null, secrets: [], assets: [], saved_at: 0 });
  const told: (ProgramSettings | "stop")[] = [];
  const engine = new EngineStore(link);
  const show = new ShowStore(link, new ManualClock());
  await show.open();
  const media = {
    startProgram: (settings: ProgramSettings) => void told.push(settings),
    stopProgram: () => void told.push("stop"),
  };
  const control = new ProgramControl({ engine, show, media });
  return {
    told,
    show,
    tell: (event: StudioEvent) => link.tell(event),
    become: (state: LinkState) => link.become(state),
    [Symbol.dispose]: () => {
      control[Symbol.dispose]();
      show[Symbol.dispose]();
      engine[Symbol.dispose]();
    },
  };
}

describe("when the page sends its program (STU3)", () => {
  test("as long as a broadcast or a recording needs it, once", async () => {
    using studio = await page();
    expect(studio.told).toEqual([]);
    studio.tell(sending);
    studio.tell({ event: "recording", recording: { ...IDLE_RECORDING, state: "recording" } });
    studio.tell({ event: "recording", recording: { ...IDLE_RECORDING, state: "recording", bytes: 1 } });
    expect(studio.told).toMatchObject([{ ways: { engine: true, whip: [] }, encoding: { encoder: "auto" } }]);
    studio.tell(idle);
    expect(studio.told).toHaveLength(1);
    studio.tell({ event: "recording", recording: IDLE_RECORDING });
    expect(studio.told.at(-1)).toBe("stop");
    expect(studio.told).toHaveLength(2);
  });

  test("goes on while the engine is away, whatever it does then", async () => {
    using studio = await page();
    studio.tell(sending);
    studio.become({ state: "lost" });
    studio.tell(idle);
    expect(studio.told).toHaveLength(1);
    studio.become(open);
    expect(studio.told.at(-1)).toBe("stop");
  });

  test("with another encoding as soon as there is one", async () => {
    using studio = await page();
    studio.tell(sending);
    studio.show.change("Bitrate", (document) => ({
      ...document,
      encoding: { ...document.encoding, video_bitrate: 2_000_000 },
    }));
    expect(studio.told).toHaveLength(2);
    expect(studio.told.at(-1)).toMatchObject({ encoding: { video_bitrate: 2_000_000 } });
    studio.show.change("Transition", (document) => ({ ...document, transition: { kind: "cut" } }));
    expect(studio.told).toHaveLength(2);
  });
});
