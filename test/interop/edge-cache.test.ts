import { ChannelInfo, StreamInfo } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Edge } from "../harness/edge.ts";
import { encode } from "../harness/encoder.ts";
import { readMultivariant, readPlaylist } from "../harness/hls-follower.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg", "nginx");

describe("the sample of an edge cache (DLV1)", () => {
  test("nginx accepts it", async () => {
    expect(await Edge.check()).toContain("test is successful");
  });

  test("viewers at the live edge share one request to the backend, and get what it would have given", async () => {
    await using backend = await BackendProcess.start();
    await using edge = await Edge.start(backend.ports.http);
    await using _encoder = encode({ url: backend.rtmpUrl(), format: "flv" });
    await backend.live();

    const { base } = edge;
    const master = await until(
      async () => {
        const response = await fetch(`${base}/v1/channels/demo/live.m3u8`).catch(() => undefined);
        return response?.ok ? { url: response.url, text: await response.text() } : undefined;
      },
      { what: "the channel through the edge", timeoutMs: 20_000, diagnose: () => edge.output },
    );
    const [variant] = readMultivariant(master.text, master.url).variants;
    expect(variant?.url).toContain(base);
    const playlistUrl = variant!.url;

    // Twenty viewers ask for the part after the last one; one of them goes through to the backend.
    const now = readPlaylist(await (await fetch(playlistUrl)).text());
    const openMsn = now.mediaSequence + now.segments.length;
    const viewers = await Promise.all(
      Array.from({ length: 20 }, async (_, viewer) => {
        const response = await fetch(`${playlistUrl}?_HLS_msn=${openMsn + 1}&_HLS_part=0&viewer=${viewer}`);
        return { status: response.status, cache: response.headers.get("x-cache"), text: await response.text() };
      }),
    );
    expect(new Set(viewers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(viewers.map(({ text }) => text)).size).toBe(1);
    expect(viewers.filter(({ cache }) => cache === "MISS")).toHaveLength(1);
    expect(viewers.filter(({ cache }) => cache === "HIT")).toHaveLength(19);

    // Media keeps, and is the same through the edge.
    const playlist = readPlaylist(viewers[0]!.text);
    const media = new URL(playlist.segments.at(-1)!.uri, playlistUrl);
    const first = await fetch(media);
    const second = await fetch(media);
    const direct = await fetch(new URL(media.pathname, backend.http));
    expect(first.headers.get("x-cache")).toBe("MISS");
    expect(second.headers.get("x-cache")).toBe("HIT");
    const bytes = Buffer.from(await direct.arrayBuffer());
    expect(Buffer.from(await first.arrayBuffer()).equals(bytes)).toBe(true);
    expect(Buffer.from(await second.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await fetch(media, { headers: { range: "bytes=0-99" } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(0, 100))).toBe(true);

    // ING5: what is hidden is told to its owner alone, whoever asked just before.
    const { id } = await backend.live();
    const hidden = await fetch(`${base}/v1/streams/${id}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${backend.key}`, "content-type": "application/json" },
      body: JSON.stringify({ preview: true }),
    });
    const { preview_access: own } = StreamInfo.parse(await hidden.json());
    const told = async (query: string) => {
      const answer = await fetch(`${base}/v1/channels/demo${query}`);
      return ChannelInfo.parse(await answer.json()).live_stream_id;
    };
    await until(async () => (await told("")) === null, { what: "nothing told of it" });
    expect(await told(`?preview=${own?.token}`)).toBe(id);
    expect(await told("")).toBeNull();
    expect((await fetch(base + own?.hls)).headers.get("cache-control")).toBe("private, no-store");

    // What is not for viewers does not get through.
    expect((await fetch(`${base}/metrics`)).status).toBe(404);
  });
});
