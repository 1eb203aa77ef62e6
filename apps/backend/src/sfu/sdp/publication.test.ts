import { KliegError } from "@klieg/protocol";
import { parse } from "sdp-transform";
import { describe, expect, it, test } from "vitest";
import { ROUTER_CODECS } from "../router-codecs.ts";
import { type AnswerSection, type LocalTransport, writeAnswer } from "./answer.ts";
import { parseOffer } from "./offer.ts";
import { acceptPublication, lowestFirst, type Publication, type PublicationRules } from "./publication.ts";
import { produceWithout } from "./testing/mediasoup.ts";
import { FIREFOX, OBS, OBS_SIMULCAST, PION, recorded, SAFARI } from "./testing/offers.ts";

const RULES: PublicationRules = {
  videoCodecs: new Set(["h264", "hevc", "av1", "vp9", "vp8"]),
  audioCodecs: new Set(["aac", "opus"]),
  routerCodecs: ROUTER_CODECS,
};

const TRANSPORT: LocalTransport = {
  iceParameters: { usernameFragment: "ours", password: "ourPassword", iceLite: true },
  iceCandidates: [
    {
      foundation: "tcpcandidate",
      priority: 2,
      address: "192.0.2.1",
      ip: "192.0.2.1",
      protocol: "tcp",
      port: 44444,
      type: "host",
      tcpType: "passive",
    },
    {
      foundation: "udpcandidate",
      priority: 3,
      address: "192.0.2.1",
      ip: "192.0.2.1",
      protocol: "udp",
      port: 44444,
      type: "host",
    },
  ],
  dtlsParameters: {
    fingerprints: [
      { algorithm: "sha-1", value: "00" },
      { algorithm: "sha-256", value: "11:22" },
    ],
  },
  setup: "passive",
};

function accept(text: string, rules: Partial<PublicationRules> = {}): Publication {
  return acceptPublication(parseOffer(text), { ...RULES, ...rules });
}

function answerTo(text: string, rules: Partial<PublicationRules> = {}) {
  const offer = parseOffer(text);
  const publication = acceptPublication(offer, { ...RULES, ...rules });
  const sections = new Map<number, AnswerSection>();
  for (const track of [publication.video, publication.audio]) {
    if (track === undefined) continue;
    sections.set(track.section.index, {
      direction: "recvonly",
      codec: track.codec,
      feedback: track.rtpParameters.codecs[0]?.rtcpFeedback ?? [],
      rtx: track.codec.rtx !== undefined,
      config: track.codec.config,
      extensions: track.rtpParameters.headerExtensions ?? [],
      rids: track.rids.map(({ id }) => id),
    });
  }
  return writeAnswer(offer, sections, TRANSPORT);
}

describe("what is taken of an offer (ING3)", () => {
  test.each([
    ["Chromium", recorded("chromium-publishing"), "video/H264", 102, 103],
    ["Chromium, simulcast", recorded("chromium-simulcast"), "video/H264", 102, 103],
    ["Firefox", FIREFOX, "video/H264", 126, 127],
    ["Safari", SAFARI, "video/H264", 96, 97],
    ["OBS", OBS, "video/H264", 96, undefined],
    ["Pion", PION, "video/VP8", 96, 97],
    ["FFmpeg", recorded("ffmpeg-publishing"), "video/H264", 106, 105],
    ["GStreamer", recorded("gstreamer-publishing"), "video/H264", 96, undefined],
    ["werift", recorded("werift-publishing"), "video/VP8", 98, undefined],
  ])("%s: one codec of each kind, which mediasoup takes", (_, text, mimeType, payloadType, rtx) => {
    const { video, audio, transport } = accept(text);
    expect(video?.codec).toMatchObject({ mimeType, payloadType, rtx });
    expect(audio?.codec.mimeType).toBe("audio/opus");
    expect(transport.iceUfrag).not.toBe("");
    for (const [kind, track] of [
      ["video", video],
      ["audio", audio],
    ] as const) {
      if (track === undefined) throw new Error("no track");
      const { consumable } = produceWithout(kind, track.rtpParameters);
      expect(consumable.codecs[0]?.mimeType.toLowerCase()).toBe(track.codec.mimeType.toLowerCase());
    }
  });

  it("is H.264, else AV1, else VP9, else VP8; of what the channel allows", () => {
    const offer = recorded("chromium-publishing");
    const codec = (allowed: string[]) => accept(offer, { videoCodecs: new Set(allowed) }).video?.codec.mimeType;
    expect(codec(["vp8", "vp9", "av1", "h264"])).toBe("video/H264");
    expect(codec(["vp8", "vp9", "av1"])).toBe("video/AV1");
    expect(codec(["vp8", "vp9"])).toBe("video/VP9");
    expect(codec(["vp8"])).toBe("video/VP8");
  });

  it("names what a channel takes to whoever offers other codecs", () => {
    const refused = (text: string, rules: Partial<PublicationRules>) => {
      try {
        accept(text, rules);
      } catch (error) {
        if (error instanceof KliegError) return error;
      }
      throw new Error("it was taken");
    };
    const error = refused(PION, { videoCodecs: new Set(["h264", "hevc"]) });
    expect(error).toMatchObject({ code: "codec_not_allowed" });
    expect(error.message).toBe("This channel takes H264 by WebRTC; the offer has VP8 for its picture.");
    expect(refused(PION, { videoCodecs: new Set(["hevc"]) }).message).toMatch(/takes no video codec that WebRTC has/);
    expect(refused(PION, { audioCodecs: new Set(["aac"]) }).message).toMatch(/the offer has OPUS for its sound/);
    expect(refused(PION.replaceAll("opus/48000/2", "L16/44100"), {}).code).toBe("codec_not_allowed");
    const unknown = PION.replaceAll("VP8/90000", "theora/90000");
    expect(refused(unknown, {}).message).toMatch(/the offer has THEORA/);
  });

  it("has the offer's own numbers for header extensions, and none that a viewer would misread", () => {
    const { video, audio } = accept(recorded("chromium-publishing"));
    expect(video?.rtpParameters.headerExtensions?.map(({ id, uri }) => [id, uri.slice(-12)])).toEqual(
      [
        [2, "abs-send-time"],
        [3, "extensions-01"],
        [4, "hdrext:sdes:mid"],
        [10, "rtp-stream-id"],
        [11, "rtp-stream-id"],
      ].map(([id, uri]) => [id, String(uri).slice(-12)]),
    );
    expect(audio?.rtpParameters.headerExtensions?.length).toBeGreaterThan(2);
    expect(JSON.stringify(video?.rtpParameters)).not.toContain("video-orientation");
  });

  it("estimates bandwidth one way: by transport-cc where there is, else by REMB", () => {
    const feedback = (text: string) =>
      accept(text).video?.rtpParameters.codecs[0]?.rtcpFeedback?.map(({ type, parameter }) =>
        `${type} ${parameter ?? ""}`.trim(),
      );
    expect(feedback(FIREFOX)).toEqual(["nack", "nack pli", "ccm fir", "transport-cc"]);
    expect(feedback(OBS)).toEqual(["nack", "nack pli", "goog-remb"]);
  });

  it("has the SSRCs of what is sent, or the mid where there are none", () => {
    expect(accept(FIREFOX).video?.rtpParameters.encodings).toEqual([
      { ssrc: 2_000_000_002, rtx: { ssrc: 2_000_000_003 } },
    ]);
    const without = FIREFOX.replaceAll(/a=ssrc.*\r\n/g, "");
    expect(accept(without).video?.rtpParameters).toMatchObject({ mid: "1", encodings: [{}] });
  });

  it("has simulcast layers from the lowest to the highest, however they are listed", () => {
    const encodings = (text: string) => accept(text).video?.rtpParameters.encodings;
    expect(encodings(recorded("chromium-simulcast"))).toEqual([{ rid: "q" }, { rid: "h" }, { rid: "f" }]);
    const reversed = recorded("chromium-simulcast").replace("send q;h;f", "send f;h;q");
    expect(encodings(reversed)).toEqual([{ rid: "q" }, { rid: "h" }, { rid: "f" }]);
    expect(encodings(OBS_SIMULCAST)).toEqual([{ rid: "2" }, { rid: "1" }, { rid: "0" }]);
    const order = (...rids: [string, Record<string, number>?][]) =>
      lowestFirst(rids.map(([id, restrictions = {}]) => ({ id, restrictions }))).map(({ id }) => id);
    expect(order(["hi"], ["mid"], ["lo"])).toEqual(["lo", "mid", "hi"]);
    expect(order(["a", { "max-width": 1280 }], ["b", { "max-width": 320 }])).toEqual(["b", "a"]);
    expect(order(["a"], ["b", { "max-br": 300_000 }], ["c", { "max-br": 100_000 }])).toEqual(["c", "b", "a"]);
    expect(order(["r0"], ["r1"])).toEqual(["r0", "r1"]);
  });

  it("has the scalability mode that the publisher announces, which no offer tells", () => {
    const { video } = accept(recorded("chromium-publishing"), {
      scalabilityMode: "L3T3_KEY",
      videoCodecs: new Set(["vp9"]),
    });
    expect(video?.rtpParameters.encodings?.[0]?.scalabilityMode).toBe("L3T3_KEY");
  });

  test.each([
    ["sends nothing", FIREFOX.replaceAll("a=sendonly", "a=recvonly"), /neither picture nor sound/],
    ["does not multiplex RTCP", FIREFOX.replace("a=rtcp-mux\r\n", ""), /rtcp-mux/],
    ["does not bundle", FIREFOX.replace("a=group:BUNDLE 0 1\r\n", ""), /BUNDLE/],
    ["bundles half", FIREFOX.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"), /BUNDLE/],
    ["has no fingerprint", FIREFOX.replace(/a=fingerprint.*\r\n/, ""), /fingerprint/],
    ["has no ICE credentials", FIREFOX.replaceAll(/a=ice-(ufrag|pwd).*\r\n/g, ""), /ice-ufrag/],
  ])("is nothing where it %s", (_, text, words) => {
    expect(() => accept(text)).toThrow(words);
  });
});

describe("the answer to it (RFC 9725 § 4.2)", () => {
  test.each([
    ["Chromium", recorded("chromium-publishing")],
    ["Chromium, simulcast", recorded("chromium-simulcast")],
    ["Firefox", FIREFOX],
    ["Safari", SAFARI],
    ["OBS", OBS],
    ["Pion", PION],
    ["FFmpeg", recorded("ffmpeg-publishing")],
    ["GStreamer", recorded("gstreamer-publishing")],
    ["werift", recorded("werift-publishing")],
  ])("%s: same sections in the same order, ICE-lite, one transport", (_, text) => {
    const answer = answerTo(text);
    const [offered, answered] = [parse(text), parse(answer)];
    expect(answered.icelite).toBe("ice-lite");
    expect(answered.media.map(({ type, mid }) => [type, mid])).toEqual(
      offered.media.map(({ type, mid }) => [type, mid]),
    );
    expect(answered.groups?.[0]).toMatchObject({
      type: "BUNDLE",
      mids: answered.media.map(({ mid }) => mid).join(" "),
    });
    const [first, second] = answered.media;
    expect(first?.candidates?.map(({ transport, port }) => [transport, port])).toEqual([
      ["udp", 44444],
      ["tcp", 44444],
    ]);
    expect(first?.endOfCandidates).toBe("end-of-candidates");
    expect(second?.candidates).toBeUndefined();
    for (const media of answered.media) {
      expect(media).toMatchObject({
        direction: "recvonly",
        setup: "passive",
        iceUfrag: "ours",
        rtcpMux: "rtcp-mux",
        fingerprint: { type: "sha-256", hash: "11:22" },
      });
      // Nothing but what was offered.
      const payloads = String(offered.media.find(({ mid }) => mid === media.mid)?.payloads).split(" ");
      expect(payloads).toEqual(expect.arrayContaining(String(media.payloads).split(" ")));
      expect(media.rtp.filter(({ codec }) => codec !== "rtx")).toHaveLength(1);
    }
  });

  it("receives the simulcast layers that were offered, in their order", () => {
    const video = parse(answerTo(OBS_SIMULCAST)).media[1];
    expect(video?.simulcast).toEqual({ dir1: "recv", list1: "0;1;2" });
    expect(video?.rids?.map(({ id, direction }) => [String(id), direction])).toEqual([
      ["0", "recv"],
      ["1", "recv"],
      ["2", "recv"],
    ]);
  });

  it("turns down what is not taken: a second picture, a data channel", () => {
    const text = `${OBS}m=video 9 UDP/TLS/RTP/SAVPF 99\r\na=mid:2\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:99 VP8/90000\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:3\r\n`;
    const { media, groups } = parse(answerTo(text.replace("BUNDLE 0 1", "BUNDLE 0 1 2 3")));
    expect(media.map(({ port }) => port)).toEqual([9, 9, 0, 0]);
    expect(media[3]?.protocol).toBe("UDP/DTLS/SCTP");
    expect(groups?.[0]?.mids).toBe("0 1");
  });

  it("begins the handshake where the peer will not", () => {
    const offer = parseOffer(recorded("ffmpeg-publishing"));
    expect(acceptPublication(offer, RULES).transport.dtls.role).toBe("server");
  });
});
