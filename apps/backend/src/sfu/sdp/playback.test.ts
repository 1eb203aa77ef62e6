import type { types } from "mediasoup";
import { generateRouterRtpCapabilities } from "mediasoup/ortc";
import { describe, expect, it, test } from "vitest";
import { ROUTER_CODECS } from "../router-codecs.ts";
import { parseOffer } from "./offer.ts";
import { acceptPlayback, canPlay } from "./playback.ts";
import { acceptPublication } from "./publication.ts";
import { consumeWithout, produceWithout } from "./testing/mediasoup.ts";
import { FIREFOX, OBS, recorded, SAFARI } from "./testing/offers.ts";

const receiving = (text: string) => text.replaceAll("a=sendonly", "a=recvonly");

const VIEWERS = {
  Chromium: recorded("chromium-watching"),
  Firefox: receiving(FIREFOX),
  Safari: receiving(SAFARI),
  GStreamer: recorded("gstreamer-watching"),
};

/** What a publisher sends, as a stage has it. */
function published(text: string, videoCodecs: string[], scalabilityMode?: string): types.Producer[] {
  const { video, audio } = acceptPublication(parseOffer(text), {
    videoCodecs: new Set(videoCodecs),
    audioCodecs: new Set(["opus"]),
    routerCodecs: ROUTER_CODECS,
    ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
  });
  return [
    ...(video === undefined ? [] : [produceWithout("video", video.rtpParameters).producer]),
    ...(audio === undefined ? [] : [produceWithout("audio", audio.rtpParameters).producer]),
  ];
}

const CHROMIUM = recorded("chromium-publishing");

describe("what a viewer is sent (RTC1)", () => {
  for (const [name, offer] of Object.entries(VIEWERS)) {
    test.each(["h264", "vp9", "vp8", "av1"])(
      `${name}: %s under the payload types that it offered, where it has them`,
      (codec) => {
        const producers = published(CHROMIUM, [codec]);
        const parsed = parseOffer(offer);
        const video = producers[0] as types.Producer;
        if (!canPlay(parsed, video)) {
          expect(() => acceptPlayback(parsed, producers)).toThrow(/which the offer does not have/);
          return;
        }
        const { tracks, layout } = acceptPlayback(parsed, producers);
        for (const { producer, codec, rtpCapabilities, section } of tracks) {
          // As the stage does it: piped to a router of that layout, and consumed there.
          const piped = produceWithout(producer.kind, producer.rtpParameters, layout.codecs);
          const sent = consumeWithout(piped.consumable, rtpCapabilities, producer.kind);
          expect(sent.codecs[0]).toMatchObject({ payloadType: codec.payloadType });
          expect(section.codecs).toContain(codec);
          const rtx = sent.codecs.find(({ mimeType }) => mimeType.endsWith("/rtx"));
          expect(rtx?.payloadType ?? codec.rtx).toBe(codec.rtx);
        }
      },
    );
  }

  it("shares a layout with viewers of the same kind alone", () => {
    const producers = published(CHROMIUM, ["h264"]);
    const key = (offer: string) => acceptPlayback(parseOffer(offer), producers).layout.key;
    expect(key(VIEWERS.Chromium)).toBe(key(VIEWERS.Chromium));
    expect(key(VIEWERS.Chromium)).not.toBe(key(VIEWERS.Firefox));
  });

  it("retransmits under every payload type that mediasoup can be brought to use", () => {
    for (let rtx = 96; rtx <= 127; rtx += 1) {
      if ([97, 98, 109, 126].includes(rtx)) continue; // Taken by other codecs of this offer.
      const offer = receiving(FIREFOX)
        .replaceAll(" 127 ", ` ${rtx} `)
        .replace("a=fmtp:127 apt=126", `a=fmtp:${rtx} apt=126`)
        .replace("a=rtpmap:127 rtx", `a=rtpmap:${rtx} rtx`)
        .replace("m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 126", "m=video 9 UDP/TLS/RTP/SAVPF 126")
        .replace(" 97 98\r\n", "\r\n");
      const producers = published(CHROMIUM, ["h264"]);
      const { tracks, layout } = acceptPlayback(parseOffer(offer), producers);
      const [video] = tracks;
      if (video === undefined) throw new Error("no video");
      const capabilities = generateRouterRtpCapabilities([...layout.codecs]);
      const codec = capabilities.codecs?.find(({ mimeType }) => mimeType === "video/rtx");
      expect([rtx, codec?.preferredPayloadType, codec?.parameters?.apt]).toEqual([rtx, rtx, 126]);
    }
  });

  it("is H.264 of any profile: decoders take more than browsers list", () => {
    const high = OBS.replace("profile-level-id=42e01f", "profile-level-id=640028");
    const producers = published(high, ["h264"]);
    const chosen = (offer: string) =>
      acceptPlayback(parseOffer(offer), producers).tracks.find(({ producer }) => producer.kind === "video")?.codec;
    // High 4:4:4 has all the tools of high; Firefox lists constrained baseline alone.
    expect(chosen(VIEWERS.Chromium)?.parameters["profile-level-id"]).toBe("f4001f");
    expect(chosen(VIEWERS.Firefox)?.payloadType).toBe(126);
    expect(chosen(VIEWERS.Safari)?.parameters["profile-level-id"]).toBe("640c1f");
  });

  it("leaves idle what there is nothing for", () => {
    const [video] = published(CHROMIUM, ["h264"]);
    const { tracks, idle } = acceptPlayback(parseOffer(VIEWERS.Chromium), [video as types.Producer]);
    expect(tracks.map(({ producer }) => producer.kind)).toEqual(["video"]);
    expect(idle.map(({ section }) => section.kind)).toEqual(["audio"]);
    expect(() => acceptPlayback(parseOffer(VIEWERS.Chromium), [])).toThrow(/nothing of what the offer asks for/);
  });

  it("uses bandwidth estimation where the viewer happens to number the extension as mediasoup does", () => {
    const producers = published(CHROMIUM, ["vp8"]);
    const offer = VIEWERS.Chromium.replace(
      /a=extmap:\d+ (http:\/\/www.ietf.org\S+extensions-01)/g,
      "a=extmap:5 $1",
    ).replace("a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n", "");
    const feedback = (text: string) => {
      const { tracks, layout } = acceptPlayback(parseOffer(text), producers);
      const track = tracks.find(({ producer }) => producer.kind === "video");
      if (track === undefined) throw new Error("no video");
      const piped = produceWithout("video", track.producer.rtpParameters, layout.codecs);
      const sent = consumeWithout(piped.consumable, track.rtpCapabilities, "video");
      return {
        types: sent.codecs[0]?.rtcpFeedback?.map(({ type }) => type),
        extensions: sent.headerExtensions?.map(({ id }) => id),
      };
    };
    expect(feedback(offer)).toMatchObject({ types: expect.arrayContaining(["transport-cc"]), extensions: [5] });
    expect(feedback(VIEWERS.Chromium)).toMatchObject({ extensions: [] });
    expect(feedback(VIEWERS.Chromium).types).not.toContain("transport-cc");
  });

  it("is not AV1 of several spatial layers, which viewers cannot tell apart", () => {
    const [layered] = published(CHROMIUM, ["av1"], "L2T2");
    const [plain] = published(CHROMIUM, ["av1"], "L1T3");
    const offer = parseOffer(VIEWERS.Chromium);
    expect([canPlay(offer, layered as types.Producer), canPlay(offer, plain as types.Producer)]).toEqual([false, true]);
  });

  test.each([
    ["receives nothing", CHROMIUM, /receives neither/],
    ["has one payload type for two codecs", receiving(FIREFOX).replaceAll("109", "126"), /same payload type/],
    ["does not bundle", receiving(FIREFOX).replace("a=group:BUNDLE 0 1\r\n", ""), /BUNDLE/],
  ])("is nothing where the offer %s", (_, offer, words) => {
    expect(() => acceptPlayback(parseOffer(offer), published(CHROMIUM, ["h264"]))).toThrow(words);
  });
});
