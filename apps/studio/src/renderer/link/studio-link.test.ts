import { ManualClock } from "@klieg/base";
import { STUDIO_CLOSE, STUDIO_MEDIA_BYTES, STUDIO_PROTOCOL, type StudioWelcome } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { type LinkState, StudioLink } from "./studio-link.ts";
import { type StudioTransport, TransportRefusal } from "./studio-transport.ts";
import { uploadAsset } from "./upload-asset.ts";

const WELCOME: StudioWelcome = {
  protocol: STUDIO_PROTOCOL,
  version: "0.0.0",
  host: "web",
  platform: "linux",
  cores: 2,
  ffmpeg: null,
  secrets: "file",
};

/** The other end of a link's connections, each by itself. */
class Engine {
  readonly clock = new ManualClock();
  readonly connections: (StudioTransport & {
    readonly sent: (string | Uint8Array)[];
    closed: boolean;
    held: number;
  })[] = [];
  readonly link: StudioLink;
  readonly states: LinkState["state"][] = [];
  refuse: Error | undefined;
  welcome = WELCOME;

  constructor() {
    this.link = new StudioLink({ role: "stage", clock: this.clock, open: () => this.#open() });
    this.link.onState(({ state }) => this.states.push(state));
  }

  get last() {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error("nobody is connected");
    return connection;
  }

  say(message: object): void {
    this.last.onMessage?.(JSON.stringify(message));
  }

  async #open(): Promise<StudioTransport> {
    if (this.refuse !== undefined) throw this.refuse;
    const connection = {
      sent: [] as (string | Uint8Array)[],
      closed: false,
      held: 0,
      get buffered() {
        return connection.held;
      },
      onMessage: undefined as StudioTransport["onMessage"],
      onMedia: undefined as StudioTransport["onMedia"],
      onClose: undefined as StudioTransport["onClose"],
      send: (message: string | Uint8Array<ArrayBuffer>) => {
        connection.sent.push(message);
        if (typeof message !== "string") return;
        const { id, type } = JSON.parse(message);
        if (type === "hello") queueMicrotask(() => this.say({ id, ok: true, data: this.welcome }));
      },
      close: () => {
        connection.closed = true;
      },
    };
    this.connections.push(connection);
    return connection;
  }
}

describe("the page's link to its engine (STU3)", () => {
  test("asks, is answered, and is told", async () => {
    using link = new Engine().link;
    expect(await link.opened()).toEqual(WELCOME);
  });

  test("hands answers to who asked, and refusals as errors of the table", async () => {
    const engine = new Engine();
    using link = engine.link;
    await link.opened();
    const saved = link.request("save_show", { document: {} });
    const secret = link.request("set_secret", { holder: "a", kind: "stream_key", secret: "s" });
    engine.say({
      id: 2,
      ok: false,
      error: { code: "storage_unavailable", message: "The disk is full.", retryable: true },
    });
    engine.say({ id: 1, ok: true, data: { saved_at: 5 } });
    expect(await saved).toEqual({ saved_at: 5 });
    await expect(secret).rejects.toMatchObject({ code: "storage_unavailable", message: "The disk is full." });
    const heard: string[] = [];
    link.onEvent(({ event }) => heard.push(event));
    engine.say({ event: "keyframe_wanted" });
    engine.say({ event: "of a newer engine" });
    expect(heard).toEqual(["keyframe_wanted"]);
    const late = link.request("go_public", {});
    engine.clock.advance(30_000);
    await expect(late).rejects.toMatchObject({ code: "timeout" });
  });

  test("comes back by itself, later each time; what was asked meanwhile is refused at once", async () => {
    const engine = new Engine();
    using link = engine.link;
    await link.opened();
    const asked = link.request("open_show", {});
    engine.refuse = new Error("nobody there");
    engine.last.onClose?.(1006, "");
    await expect(asked).rejects.toMatchObject({ code: "unreachable", retryable: true });
    await expect(link.request("open_show", {})).rejects.toMatchObject({ code: "unreachable" });
    link.sendMedia(new Uint8Array(20));
    expect([link.state.state, link.droppedMedia]).toEqual(["lost", 1]);
    for (let at = 0; at < 4; at += 1) {
      engine.clock.advance(2000);
      await Promise.resolve();
    }
    engine.refuse = undefined;
    engine.clock.advance(2000);
    await link.opened();
    expect(engine.states).toEqual(["open", "lost", "open"]);
    expect(engine.connections).toHaveLength(2);
  });

  test("stays away where another page took the stage, until its user takes it back", async () => {
    const engine = new Engine();
    using link = engine.link;
    await link.opened();
    engine.last.onClose?.(STUDIO_CLOSE.replaced, "another page");
    expect(link.state).toEqual({ state: "ended", end: "replaced" });
    expect(engine.clock.pending).toBe(0);
    link.reopen();
    await link.opened();
    expect(engine.connections).toHaveLength(2);
  });

  test("says where it is not let in, or of another version", async () => {
    const engine = new Engine();
    using link = engine.link;
    engine.welcome = { ...WELCOME, protocol: STUDIO_PROTOCOL + 1 };
    await expect(link.opened()).rejects.toThrow("outdated");
    expect(engine.last.closed).toBe(true);
    const stranger = new StudioLink({
      role: "stage",
      clock: engine.clock,
      open: () => Promise.reject(new TransportRefusal(STUDIO_CLOSE.refused, "no token")),
    });
    await expect(stranger.opened()).rejects.toThrow("refused");
  });

  test("leaves media out that is too large, or that nobody takes", async () => {
    const engine = new Engine();
    using link = engine.link;
    await link.opened();
    link.sendMedia(new Uint8Array(STUDIO_MEDIA_BYTES + 1));
    engine.last.held = 100 * 1024 * 1024;
    link.sendMedia(new Uint8Array(20));
    engine.last.held = 0;
    link.sendMedia(new Uint8Array(20));
    expect([link.droppedMedia, engine.last.sent.length]).toEqual([2, 2]);
  });

  test("closed by its owner, it is closed", async () => {
    const engine = new Engine();
    await engine.link.opened();
    const asked = engine.link.request("open_show", {});
    engine.link[Symbol.dispose]();
    engine.link[Symbol.dispose]();
    await expect(asked).rejects.toMatchObject({ code: "unreachable" });
    engine.link.reopen();
    expect([engine.last.closed, engine.connections.length, engine.clock.pending]).toEqual([true, 1, 0]);
  });
});

test("a file goes to the engine in pieces, in order (STU1)", async () => {
  const sent: Uint8Array[] = [];
  const asked: string[] = [];
  const asset = { id: "a1", name: "film.mp4", media_type: "video/mp4", size: 600_000 };
  const shares: number[] = [];
  const link = {
    buffered: 0,
    sendMedia: (message: Uint8Array) => sent.push(message),
    request: async (type: string) => {
      asked.push(type);
      return type === "begin_asset" ? { asset_id: "a1", upload: 7 } : { asset };
    },
  };
  const file = new File([new Uint8Array(600_000)], "film.mp4", { type: "video/mp4" });
  expect(await uploadAsset(link as never, file, { onProgress: (share) => shares.push(share) })).toEqual(asset);
  expect(asked).toEqual(["begin_asset", "finish_asset"]);
  expect(sent.map(({ length }) => length)).toEqual([262_160, 262_160, 75_728]);
  expect(shares.at(-1)).toBe(1);
});
