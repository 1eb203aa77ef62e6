import { describe, expect, it, test } from "vitest";
import { parseIceFragment, writeIceFragment } from "./ice-fragment.ts";

const FRAGMENT = [
  "a=group:BUNDLE 0 1",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=mid:0",
  "a=ice-ufrag:EsAw",
  "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
  "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1",
  "a=candidate:3471623853 1 tcp 1518283007 198.51.100.1 9 typ host tcptype active generation 0 ufrag EsAw",
  "a=end-of-candidates",
  "",
].join("\r\n");

describe("a fragment of ICE (RFC 8840)", () => {
  it("tells credentials and candidates, wherever they stand", () => {
    expect(parseIceFragment(FRAGMENT)).toEqual({
      credentials: { ufrag: "EsAw", pwd: "P2uYro0UCOQ4zxjKXaWCBui1" },
      candidates: 2,
    });
    const inSession = "a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\nm=video 9 RTP/AVP 0\na=mid:0\n";
    expect(parseIceFragment(inSession).credentials?.ufrag).toBe("EsAw");
    expect(parseIceFragment("m=video 9 RTP/AVP 0\na=mid:0\na=end-of-candidates\n").candidates).toBe(0);
    const mdns = "a=candidate:1 1 udp 1 0b9d0b32-f0f9-4b40-a4e1-6b3a5e0d3d1c.local 5000 typ host\n";
    expect(parseIceFragment(mdns).candidates).toBe(1);
  });

  test.each([
    ["empty", ""],
    ["about nothing", "a=mid:0\r\n"],
    ["half of the credentials", "a=ice-ufrag:abcd\r\n"],
    ["a short password", "a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n"],
    ["a malformed candidate", "a=candidate:1 1 udp\r\n"],
    ["another language", "{}"],
    ["thousands of candidates", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(400)],
  ])("is refused: %s", (_, text) => {
    expect(() => parseIceFragment(text)).toThrow(expect.objectContaining({ code: "sdp_invalid" }));
  });

  it("is written with this end's credentials and candidates, and without session lines", () => {
    const text = writeIceFragment({ kind: "video", mid: "1", payloadType: 96 }, ["0", "1"], {
      iceParameters: { usernameFragment: "ours", password: "a-password-of-ours-22ch", iceLite: true },
      iceCandidates: [
        { foundation: "x", priority: 1, address: "192.0.2.1", ip: "192.0.2.1", protocol: "udp", port: 4, type: "host" },
      ],
    });
    expect(text).toMatch(/^a=ice-lite\r\na=group:BUNDLE 0 1\r\nm=video 9 /);
    expect(parseIceFragment(text)).toEqual({
      credentials: { ufrag: "ours", pwd: "a-password-of-ours-22ch" },
      candidates: 1,
    });
  });
});
