import { describe, expect, it } from "vitest";
import {
  answerAfterRestart,
  iceCredentialsOf,
  iceFragmentOf,
  withFullSound,
  withServersExtensions,
} from "./session-description.ts";

const OFFER = [
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "a=ice-options:trickle",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=ice-ufrag:offU",
  "a=ice-pwd:offerPassword",
  "a=mid:0",
  "a=rtpmap:96 VP8/90000",
  "a=fmtp:96 max-fs=1",
  "a=candidate:1 1 udp 1 192.0.2.1 1 typ host",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=ice-ufrag:offU",
  "a=ice-pwd:offerPassword",
  "a=mid:1",
  "a=rtpmap:111 opus/48000/2",
  "a=fmtp:111 minptime=10;useinbandfec=1",
  "",
].join("\r\n");

describe("session descriptions", () => {
  it("asks for an ICE restart with a fragment of the offer (RFC 9725 § 4.3.3)", () => {
    expect(iceFragmentOf(OFFER).split("\r\n")).toEqual([
      "a=group:BUNDLE 0 1",
      "a=ice-options:trickle",
      "a=ice-ufrag:offU",
      "a=ice-pwd:offerPassword",
      "m=video 9 UDP/TLS/RTP/SAVPF 96",
      "a=mid:0",
      "a=candidate:1 1 udp 1 192.0.2.1 1 typ host",
      "",
    ]);
  });

  it("takes the answer to a restart into the description in force", () => {
    const fragment = "a=ice-ufrag:newU\r\na=ice-pwd:newPassword\r\na=candidate:7 1 udp 9 192.0.2.7 7 typ host\r\n";
    const renewed = answerAfterRestart(OFFER, fragment) ?? "";
    expect(iceCredentialsOf(renewed)).toEqual({ ufrag: "newU", password: "newPassword" });
    expect(renewed.match(/192[.]0[.]2[.]7/g)).toHaveLength(2);
    expect(renewed).not.toContain("192.0.2.1 ");
    expect(renewed).not.toContain("offU");
    const bare = answerAfterRestart(OFFER, "a=ice-ufrag:newU\na=ice-pwd:newPassword\n") ?? "";
    expect(bare).toContain("192.0.2.1 ");
    expect(answerAfterRestart(OFFER, "a=mid:0\r\n")).toBeNull();
  });

  it("numbers header extensions as the server does, and leaves out what it never sends (RFC 8285)", () => {
    const transportCc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    const offer = [
      "m=video 9 UDP/TLS/RTP/SAVPF 96",
      `a=extmap:3 ${transportCc}`,
      "a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:sdes:mid",
      "a=extmap:8 http://www.webrtc.org/experiments/rtp-hdrext/color-space",
      "a=extmap-allow-mixed",
      "",
    ].join("\r\n");
    expect(withServersExtensions(offer).split("\r\n")).toEqual([
      "m=video 9 UDP/TLS/RTP/SAVPF 96",
      `a=extmap:5 ${transportCc}`,
      "a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:sdes:mid",
      "a=extmap-allow-mixed",
      "",
    ]);
  });

  it("asks for two channels of Opus, and for its lost packets again", () => {
    const full = withFullSound(OFFER);
    expect(full).toContain("a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n");
    expect(full).toContain("a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n");
    expect(full).toContain("a=fmtp:96 max-fs=1\r\n");
    expect(withFullSound(full)).toBe(full);
  });
});
