import { describe, expect, it } from "vitest";
import { ApiClient } from "./client.ts";

const CHANNEL = {
  name: "demo",
  title: "Demo",
  live_stream_id: "stream001",
  state: "live",
  live_since: "2026-11-21T04:00:00.000Z",
  playback: { hls: "/v1/channels/demo/live.m3u8", dash: null, whep: null },
  default_playback: "hls",
  broadcast: null,
};

function client(answer: () => Response | Promise<Response>) {
  const dates: number[] = [];
  const asked: string[] = [];
  const api = new ApiClient(
    (date) => dates.push(date),
    async (input) => {
      asked.push(String(input));
      return answer();
    },
  );
  return { api, dates, asked };
}

const json = (body: unknown, init: ResponseInit = {}) => new Response(JSON.stringify(body), init);

describe("API client", () => {
  it("reads a channel and the server's clock", async () => {
    const { api, dates } = client(() => json(CHANNEL, { headers: { date: "Sat, 21 Nov 2026 04:00:00 GMT" } }));
    expect(await api.channel("demo")).toEqual(CHANNEL);
    expect(dates).toEqual([Date.UTC(2026, 10, 21, 4)]);
  });

  it("does not take the time of a cached answer for the time now", async () => {
    const { api, dates } = client(() =>
      json(CHANNEL, { headers: { date: "Sat, 21 Nov 2026 04:00:00 GMT", age: "7" } }),
    );
    await api.channel("demo");
    expect(dates).toEqual([]);
  });

  it("hands a prefetched answer to the first who asks", async () => {
    const { api, asked } = client(() => json(CHANNEL));
    api.prefetchChannel("demo");
    await api.channel("demo");
    expect(asked).toEqual(["/v1/channels/demo"]);
    await api.channel("demo");
    expect(asked).toHaveLength(2);
  });

  it("ING5: asks with the preview's token, and reads what is told of a broadcast", async () => {
    const broadcast = { title: "Late show", category: "Music", visibility: "private", preview: true };
    const { api, asked } = client(() => json({ ...CHANNEL, broadcast }));
    expect((await api.channel("demo", undefined, "a/b")).broadcast).toEqual(broadcast);
    expect(asked).toEqual(["/v1/channels/demo?preview=a%2Fb"]);
    const strange = { title: 1, category: null, visibility: "secret", preview: "yes" };
    expect((await client(() => json({ ...CHANNEL, broadcast: strange })).api.channel("demo")).broadcast).toEqual({
      title: "",
      category: "",
      visibility: "public",
      preview: false,
    });
  });

  it("carries the server's error code", async () => {
    const error = { code: "channel_unknown", message: "No such channel.", retryable: false };
    const { api } = client(() => json({ error }, { status: 404 }));
    await expect(api.channel("x/y")).rejects.toMatchObject(error);
  });

  it.each([
    ["no answer", () => Promise.reject(new TypeError("fetch failed")), "network"],
    ["a page instead of JSON", () => new Response("<html>"), "malformed"],
    ["a gateway's page", () => new Response("<html>", { status: 502 }), "malformed"],
    ["an error without a code", () => json({}, { status: 500 }), "malformed"],
    ["an array", () => json(null), "malformed"],
    ["a channel without a name", () => json({ title: "x" }), "malformed"],
  ])("turns %s into a typed error", async (_what, answer, code) => {
    await expect(client(answer).api.channel("demo")).rejects.toMatchObject({ name: "ApiError", code });
  });

  it("reads a list, tolerating what it does not know", async () => {
    const strange = { ...CHANNEL, state: "dreaming", live_since: "soon", live_stream_id: "", extra: 1, title: 7 };
    const { api } = client(() => json({ channels: [strange] }));
    expect(await api.channels()).toEqual([
      { ...CHANNEL, state: null, live_since: null, live_stream_id: null, title: "demo" },
    ]);
    await expect(client(() => json({ channels: {} })).api.channels()).rejects.toMatchObject({ code: "malformed" });
  });
});
