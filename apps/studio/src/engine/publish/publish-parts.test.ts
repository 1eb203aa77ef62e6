import type { AccessUnit } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import { RtmpPublishError } from "@klieg/rtmp";
import { SrtError } from "@klieg/srt";
import { describe, expect, test } from "vitest";
import { FrameGate } from "./frame-gate.ts";
import { PublishFailure, rtmpFailure, srtFailure } from "./publish-failure.ts";
import { ReconnectPolicy } from "./reconnect-policy.ts";
import { parseSrtUrl } from "./srt-address.ts";
import { VideoRate } from "./video-rate.ts";

describe("STU3: when a destination is tried again", () => {
  test("the network: for ever, later each time, up to a bound, with jitter", () => {
    const policy = new ReconnectPolicy(() => 0.5);
    const delays = Array.from({ length: 50 }, () => policy.failed("network"));
    expect(delays.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(delays.at(-1)).toBe(15_000);
    expect(policy.attempt).toBe(50);
    expect(new ReconnectPolicy(() => 0).failed("network")).toBe(375);
    expect(new ReconnectPolicy(() => 1).failed("network")).toBe(625);
  });

  test("a refusal: not at all; a server that had taken the stream is asked a few times more", () => {
    expect(new ReconnectPolicy(() => 0.5).failed("refused")).toBeUndefined();
    const policy = new ReconnectPolicy(() => 0.5);
    policy.wasLive(60_000);
    const delays = Array.from({ length: 5 }, () => policy.failed("refused"));
    expect(delays).toEqual([500, 1000, 2000, 4000, undefined]);
    policy.reset();
    expect(policy.failed("refused")).toBe(500);
    expect(policy.failed("final")).toBeUndefined();
    expect(PublishFailure.from(new KliegError("stream_key_revoked", "No more.")).kind).toBe("final");
  });

  test("a server that hangs up without a word: five times", () => {
    const policy = new ReconnectPolicy(() => 0.5);
    expect(Array.from({ length: 5 }, () => policy.failed("unclear"))).toEqual([500, 1000, 2000, 4000, undefined]);
  });

  test("a connection that stood begins anew, one that broke at once does not", () => {
    const policy = new ReconnectPolicy(() => 0.5);
    for (let i = 0; i < 4; i += 1) policy.failed("network");
    policy.wasLive(500);
    expect(policy.failed("network")).toBe(8000);
    policy.wasLive(10_000);
    expect(policy.failed("network")).toBe(500);
  });
});

describe("STU3: failures are said in words", () => {
  test.each<[string, unknown, string, string, RegExp]>([
    ["no answer", new SrtError("timeout", "…"), "network", "unreachable", /does not answer/],
    ["a name that is none", new SrtError("socket", "…"), "network", "unreachable", /cannot be reached/],
    ["a wrong key", SrtError.rejected(1401), "refused", "stream_key_invalid", /key is wrong/],
    ["a revoked key", SrtError.rejected(1403), "refused", "stream_key_revoked", /no longer valid/],
    ["somebody else", SrtError.rejected(1409), "refused", "conflict", /Somebody else/],
    ["a wrong passphrase", SrtError.rejected(10), "refused", "passphrase_wrong", /passphrase is wrong/],
    ["a passphrase at one end", SrtError.rejected(11), "refused", "passphrase_wrong", /One end wants/],
    ["a server that restarts", SrtError.rejected(1503), "network", "shutting_down", /restarted/],
    ["no room", SrtError.rejected(1402), "network", "rate_limited", /no room/],
    ["anything else", SrtError.rejected(2), "unclear", "unreachable", /turned the stream down/],
  ])("SRT: %s", (_what, error, kind, code, words) => {
    const failure = srtFailure(error, "example.org");
    expect(failure).toMatchObject({ kind, error: { code } });
    expect(failure.error.message).toMatch(words);
  });

  test.each<[string, unknown, string, RegExp]>([
    ["nobody there", new RtmpPublishError("network", "example.org cannot be reached"), "network", /cannot be reached/],
    [
      "a refusal",
      new RtmpPublishError("publish", "…", { serverCode: "NetStream.Publish.Denied", serverDescription: "Wrong key." }),
      "refused",
      /refuses the stream: Wrong key/,
    ],
    ["hanging up", new RtmpPublishError("publish", "closed"), "unclear", /hangs up before/],
    ["an end in mid-stream", new RtmpPublishError("live", "closed the connection"), "network", /closed the connection/],
    [
      "an end with a reason",
      new RtmpPublishError("live", "…", { serverCode: "NetStream.Publish.Rejected", serverDescription: "Bye." }),
      "unclear",
      /Bye/,
    ],
    ["an address that is none", new TypeError("An RTMP address begins with …"), "refused", /begins with/],
  ])("RTMP: %s", (_what, error, kind, words) => {
    const failure = rtmpFailure(error, "example.org");
    expect(failure.kind).toBe(kind);
    expect(failure.error.message).toMatch(words);
  });

  test("what a backend's HTTP answers is judged by its row", () => {
    expect(PublishFailure.from(new KliegError("stream_key_invalid", "No.")).kind).toBe("refused");
    expect(PublishFailure.from(new KliegError("shutting_down", "Soon.")).kind).toBe("network");
    expect(PublishFailure.from(new Error("?"))).toMatchObject({ kind: "network", error: { code: "internal" } });
  });
});

describe("STU3: SRT addresses", () => {
  test("are taken apart; secrets come before what they say", () => {
    expect(parseSrtUrl("srt://[::1]:9000?streamid=%23!::u=k,r=demo&latency=500")).toEqual({
      host: "::1",
      port: 9000,
      streamId: "#!::u=k,r=demo",
      passphrase: undefined,
      latencyMs: 500,
    });
    const secrets = { streamId: "own", passphrase: "ten or more" };
    expect(parseSrtUrl("srt://a.example:1?streamid=x&passphrase=short", secrets)).toMatchObject(secrets);
  });

  test.each([
    "srt://host",
    "http://host:1",
    "srt://:1",
    "srt://host:1?mode=listener",
    "srt://host:1?passphrase=short",
    "?",
  ])("%s is refused", (url) => {
    expect(() => parseSrtUrl(url)).toThrow(KliegError);
  });
});

describe("STU3: pictures left out", () => {
  const unit = (kind: "video" | "audio", keyframe: boolean) => ({ track: { kind }, keyframe }) as AccessUnit;

  test("from one picture up to a keyframe when there is room again; sound never", () => {
    let asked = 0;
    const gate = new FrameGate(() => {
      asked += 1;
    });
    expect(gate.passes(unit("video", false))).toBe(true);
    gate.calm();
    gate.shut();
    expect(gate.passes(unit("video", false))).toBe(false);
    expect(gate.passes(unit("audio", true))).toBe(true);
    expect(gate.passes(unit("video", true))).toBe(false);
    gate.calm();
    gate.calm();
    expect(asked).toBe(1);
    expect(gate.passes(unit("video", false))).toBe(false);
    expect(gate.passes(unit("video", true))).toBe(true);
    expect(gate.passes(unit("video", false))).toBe(true);
    expect(gate.dropped).toBe(3);
  });
});

describe("STU3: one encoder for all destinations", () => {
  test("the slowest sets the rate, without what sound and packing take; full again once none is slow", () => {
    const rate = new VideoRate({ videoBitrate: 6_000_000, audioBitrate: 160_000 });
    const full = { target: rate.limits.highest, reason: "full" } as const;
    expect(rate.update([full])).toBeUndefined();
    const slow = { target: 3_150_000, reason: "queue" } as const;
    expect(rate.update([full, slow])).toEqual({ bitrate: 2_840_000, reason: "queue" });
    expect(rate.update([full, { ...slow, target: 3_160_000 }])).toBeUndefined();
    expect(rate.update([full, { target: 3_300_000, reason: "probing" }])).toMatchObject({ reason: "probing" });
    expect(rate.update([full])).toEqual({ bitrate: 6_000_000, reason: "full" });
    expect(rate.update([])).toBeUndefined();
    expect(rate.limits.lowest).toBe((600_000 + 160_000) * 1.05);
  });
});
