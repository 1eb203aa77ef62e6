import type { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext, PlaylistLoaderContext } from "hls.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PatientPlaylistLoader } from "./patient-playlist-loader.ts";

/** hls.js's loader, answering when told to. */
class Requests {
  static all: Requests[] = [];
  context: LoaderContext | null = null;
  stats = {};
  configuration: LoaderConfiguration | null = null;
  callbacks: LoaderCallbacks<LoaderContext> | null = null;
  ended: string[] = [];

  constructor() {
    Requests.all.push(this);
  }

  load(context: LoaderContext, configuration: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    this.context = context;
    this.configuration = configuration;
    this.callbacks = callbacks;
  }

  fail(code: number): void {
    if (!this.context) throw new Error("nothing asked");
    this.callbacks?.onError({ code, text: "" }, this.context, null, this.stats as never);
  }

  abort(): void {
    this.ended.push("abort");
  }

  destroy(): void {
    this.ended.push("destroy");
  }
}

const CONFIG = { loader: Requests } as unknown as HlsConfig;
const POLICY = { maxTimeToFirstByteMs: 3200, maxLoadTimeMs: 3200, timeoutRetry: null, errorRetry: null };
const CONFIGURATION = { loadPolicy: POLICY, timeout: 3200, maxRetry: 0, retryDelay: 0, maxRetryDelay: 0 };

function ask(blocked: boolean) {
  const context = { url: "index.m3u8", deliveryDirectives: blocked ? { msn: 4, part: 2 } : null };
  const callbacks = { onSuccess: vi.fn(), onError: vi.fn(), onTimeout: vi.fn() };
  const loader = new PatientPlaylistLoader(CONFIG);
  loader.load(context as unknown as PlaylistLoaderContext, CONFIGURATION, callbacks);
  const last = () => Requests.all.at(-1) as Requests;
  return { loader, callbacks, last };
}

describe("patient playlist loader (PKG4, PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    Requests.all = [];
  });
  afterEach(() => void vi.useRealTimers());

  it("leaves ordinary requests as hls.js wants them", () => {
    const { callbacks, last } = ask(false);
    expect(last().configuration).toBe(CONFIGURATION);
    last().fail(503);
    expect(callbacks.onError).toHaveBeenCalledOnce();
  });

  it("gives a blocked request the time that a server may take", () => {
    expect(ask(true).last().configuration?.loadPolicy.maxTimeToFirstByteMs).toBe(20_000);
  });

  it("asks again as often as a blocked request ends without news", async () => {
    const { loader, callbacks, last } = ask(true);
    for (let round = 1; round <= 10; round++) {
      await vi.advanceTimersByTimeAsync(12_000);
      last().fail(503);
      await vi.advanceTimersByTimeAsync(0);
      expect(Requests.all).toHaveLength(round + 1);
    }
    expect(callbacks.onError).not.toHaveBeenCalled();
    expect(loader.context).toBe(last().context);
    last().callbacks?.onSuccess({ url: "", data: "#EXTM3U" }, {} as never, {} as never, null);
    expect(callbacks.onSuccess).toHaveBeenCalledOnce();
  });

  it("takes a server that refuses at once, again and again, for a fault", async () => {
    const { callbacks, last } = ask(true);
    for (let round = 1; round <= 3; round++) {
      last().fail(503);
      await vi.advanceTimersByTimeAsync(round * 1000);
    }
    expect(callbacks.onError).not.toHaveBeenCalled();
    last().fail(503);
    expect(callbacks.onError).toHaveBeenCalledOnce();
  });

  it.each([0, 400, 404, 500])("passes status %d on", (code) => {
    const { callbacks, last } = ask(true);
    last().fail(code);
    expect(callbacks.onError).toHaveBeenCalledOnce();
  });

  it("asks no more once aborted or destroyed", async () => {
    for (const end of ["abort", "destroy"] as const) {
      Requests.all = [];
      const { loader, last } = ask(true);
      await vi.advanceTimersByTimeAsync(12_000);
      last().fail(503);
      loader[end]();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(Requests.all).toHaveLength(1);
      expect(last().ended).toContain(end);
    }
  });
});
