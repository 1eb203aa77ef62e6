import { KliegError } from "@klieg/protocol";
import { describe, expect, it, test } from "vitest";
import { type Offer, parseOffer } from "./offer.ts";
import { parseFmtp } from "./offer-codec.ts";
import { MAX_SDP_BYTES } from "./sdp-text.ts";
import { FIREFOX, OBS, PION, RECORDED, recorded, SAFARI } from "./testing/offers.ts";

const codes = (offer: Offer, kind: string) =>
  offer.sections.find((section) => section.kind === kind)?.codecs.map(({ mimeType }) => mimeType);

function refusal(text: string): KliegError {
  try {
    parseOffer(text);
  } catch (error) {
    if (error instanceof KliegError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

/** A small offer that is right. */
const SMALL = PION;

describe("an offer (ING3, RTC1)", () => {
  test.each(RECORDED)("of %s is read", (name) => {
    const offer = parseOffer(recorded(name));
    expect(offer.sections.map(({ kind }) => kind).sort()).toEqual(["audio", "video"]);
    expect(codes(offer, "audio")).toContain("audio/opus");
    for (const section of offer.sections) {
      expect(section).toMatchObject({ usable: true, rtcpMux: true });
      expect(section.transport?.dtls.fingerprints[0]?.algorithm).toBe("sha-256");
      expect(offer.bundle).toContain(section.mid);
    }
  });

  it("may have ICE and DTLS in the session, in its sections, or both ways", () => {
    for (const text of [OBS, FIREFOX, SAFARI, PION]) {
      for (const { transport } of parseOffer(text).sections) {
        expect(transport?.icePwd.length).toBeGreaterThanOrEqual(22);
        expect(transport?.dtls).toMatchObject({ role: "client" });
      }
    }
    expect(parseOffer(recorded("ffmpeg-publishing")).sections[0]?.transport?.dtls.role).toBe("server");
  });

  it("may end its lines with LF or CRLF, and may lack mids where it has one section", () => {
    expect(parseOffer(OBS.replaceAll("\r\n", "\n"))).toEqual(parseOffer(OBS));
    const single = SMALL.slice(0, SMALL.indexOf("m=audio"))
      .replace("a=mid:0\n", "")
      .replace("a=group:BUNDLE 0 1\n", "");
    expect(parseOffer(single)).toMatchObject({ bundle: undefined, sections: [{ mid: undefined }] });
  });

  it("tells codecs with their retransmissions, parameters and feedback", () => {
    const [video] = parseOffer(FIREFOX).sections.filter(({ kind }) => kind === "video");
    expect(video?.codecs.map(({ mimeType, payloadType, rtx }) => [mimeType, payloadType, rtx])).toEqual([
      ["video/VP8", 120, 124],
      ["video/VP9", 121, 125],
      ["video/H264", 126, 127],
      ["video/H264", 97, 98],
    ]);
    expect(video?.codecs[2]?.parameters).toEqual({
      "profile-level-id": "42e01f",
      "level-asymmetry-allowed": 1,
      "packetization-mode": 1,
    });
    expect(video?.codecs[2]?.feedback).toContainEqual({ type: "nack", parameter: "pli" });
    expect(parseFmtp("sprop-parameter-sets=Z0LAHtk=,aM48gA==;profile-level-id=420029; x=1")).toEqual({
      "sprop-parameter-sets": "Z0LAHtk=,aM48gA==",
      "profile-level-id": "420029",
      x: 1,
    });
  });

  it("tells SSRCs with those of their retransmissions, also where these have no line of their own", () => {
    const streams = (text: string) => parseOffer(text).sections.find(({ kind }) => kind === "video")?.streams;
    expect(streams(FIREFOX)?.ssrcs).toEqual([{ ssrc: 2_000_000_002, rtx: 2_000_000_003 }]);
    expect(streams(recorded("ffmpeg-publishing"))?.ssrcs).toEqual([{ ssrc: 1_375_181_227, rtx: 1_375_181_228 }]);
    expect(streams(OBS)).toMatchObject({ cname: "obsCname", streamId: "obsStream" });
  });

  it("tells simulcast by RIDs, in RFC 8853's form and in that of its drafts, and by SSRCs", () => {
    const video = (text: string) => parseOffer(text).sections.find(({ kind }) => kind === "video")?.streams;
    const simulcast = recorded("chromium-simulcast");
    expect(video(simulcast)?.rids.map(({ id }) => id)).toEqual(["q", "h", "f"]);
    expect(video(simulcast.replace("send q;h;f", "send q,x;~h;f recv y"))?.rids.map(({ id }) => id)).toEqual([
      "q",
      "h",
      "f",
    ]);
    expect(video(simulcast.replace("send q;h;f", " send rid=q;h;f paused=h"))?.rids.map(({ id }) => id)).toEqual([
      "q",
      "h",
      "f",
    ]);
    expect(video(simulcast.replace("a=simulcast:send q;h;f", "a=x"))?.rids.map(({ id }) => id)).toEqual([
      "q",
      "h",
      "f",
    ]);
    const limited = simulcast.replace("a=rid:q send", "a=rid:q send pt=96;max-width=320;max-br=150000");
    expect(video(limited)?.rids[0]).toEqual({ id: "q", restrictions: { "max-width": 320, "max-br": 150_000 } });
    const legacy = FIREFOX.replace(
      "a=ssrc-group:FID 2000000002 2000000003",
      "a=ssrc-group:SIM 2000000002 2000000004\r\na=ssrc-group:FID 2000000002 2000000003",
    );
    expect(video(legacy)).toMatchObject({
      ssrcSimulcast: true,
      ssrcs: [{ ssrc: 2_000_000_002 }, { ssrc: 2_000_000_004 }],
    });
  });

  it("passes over sections that are turned off, and data channels", () => {
    const off = SMALL.replace("m=audio 9", "m=audio 0");
    expect(parseOffer(off).sections.map(({ usable }) => usable)).toEqual([true, false]);
    expect(parseOffer(off.replace("a=mid:1", "a=mid:1\na=bundle-only")).sections[1]?.usable).toBe(true);
    const data = `${SMALL}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\n`;
    expect(parseOffer(data).sections[2]).toMatchObject({ kind: "application", usable: false });
  });
});

describe("an offer that cannot be taken (SEC5)", () => {
  test.each([
    ["nothing", "", /empty/],
    ["another language", '{"type":"offer"}', /line 1/],
    ["a session without media", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", /no media section/],
    ["no version", SMALL.replace("v=0\n", ""), /v=0/],
    ["binary", SMALL.replace("a=mid:0", "a=mid:\u0000"), /line/],
    ["half a line", SMALL.replace("a=mid:0", "a"), /line/],
    ["a broken m= line", SMALL.replace("m=video 9", "m=video nine"), /m= line/],
    ["a fingerprint cut short", SMALL.replace(/(a=fingerprint:sha-256 .{20}).*/, "$1"), /fingerprint/],
    ["a short ICE password", SMALL.replaceAll("pionPasswordpionPasswordpionPass", "short"), /ICE/],
    ["a role that makes no sense", SMALL.replaceAll("a=setup:actpass", "a=setup:holdconn"), /setup/],
    ["one mid twice", SMALL.replace("a=mid:1", "a=mid:0"), /same mid/],
  ])("has %s", (_, text, words) => {
    expect(refusal(text)).toMatchObject({ code: "sdp_invalid" });
    expect(refusal(text).message).toMatch(words);
  });

  test.each([
    ["lines", SMALL + "b=AS:1\n".repeat(3000)],
    ["sections", SMALL + "m=video 9 UDP/TLS/RTP/SAVPF 96\n".repeat(40)],
    ["candidates", SMALL + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\n".repeat(500)],
    ["codecs", SMALL + "a=rtpmap:96 VP8/90000\n".repeat(500)],
    ["a line", `${SMALL}a=fmtp:96 ${"x".repeat(6000)}\n`],
    ["RIDs", SMALL + "a=rid:1 send\n".repeat(100)],
    ["SSRCs", SMALL + "a=ssrc:1 cname:x\n".repeat(1000)],
  ])("has too much of %s, which takes no time to see", (_, text) => {
    const began = performance.now();
    expect(refusal(text).code).toBe("sdp_invalid");
    expect(performance.now() - began).toBeLessThan(50);
  });

  it("is too large", () => {
    expect(refusal(SMALL + "a".repeat(MAX_SDP_BYTES)).code).toBe("payload_too_large");
  });

  test.each([
    ["spaces", `a=fmtp:96 ${" ".repeat(4000)}x`],
    ["equals signs", `a=fmtp:96 ${"=".repeat(4000)}`],
    ["semicolons", `a=fmtp:96 ${"a=;".repeat(1300)}`],
    ["brackets", `a=imageattr:96 send ${"[x] ".repeat(1000)}`],
    ["layers", `a=simulcast:send ${"a;".repeat(2000)}`],
    ["alternatives", `a=simulcast:send ${"~a,".repeat(1300)}`],
    ["names", `a=fmtp:96 __proto__=1;constructor=2;toString=3`],
  ])("has a line of many %s: it is read in no time", (_, line) => {
    const began = performance.now();
    const many = `${SMALL}${`${line}\n`.repeat(2)}`;
    const offer = parseOffer(many);
    expect(offer.sections).toHaveLength(2);
    expect(performance.now() - began).toBeLessThan(50);
    expect(({} as Record<string, unknown>).constructor).toBe(Object);
  });
});
