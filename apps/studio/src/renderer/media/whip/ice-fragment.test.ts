import { describe, expect, test } from "vitest";
import { credentialsOf, restartFragment, withCredentials, withStereo } from "./ice-fragment.ts";

const ANSWER = [
  "v=0",
  "m=audio 7 UDP/TLS/RTP/SAVPF 111",
  "a=rtpmap:111 opus/48000/2",
  "a=fmtp:111 minptime=10;useinbandfec=1",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:0123456789",
  "m=video 7 UDP/TLS/RTP/SAVPF 96",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:0123456789",
  "",
].join("\r\n");

describe("ICE credentials of a WHIP session (STU3)", () => {
  test("are found, sent and put in the place of others", () => {
    expect(credentialsOf(ANSWER)).toEqual({ ufrag: "abcd", password: "0123456789" });
    const other = { ufrag: "new", password: "secret/+" };
    expect(credentialsOf(restartFragment(other))).toEqual(other);
    const changed = withCredentials(ANSWER, other);
    expect(changed).not.toContain("abcd");
    expect(changed.match(/a=ice-ufrag:new\r\na=ice-pwd:secret\/\+\r\n/g)).toHaveLength(2);
    expect(credentialsOf("v=0\r\n")).toBeUndefined();
  });

  test("go with an answer that asks for stereo, once", () => {
    const stereo = withStereo(ANSWER);
    expect(stereo).toContain("a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n");
    expect(withStereo(stereo)).toBe(stereo);
    const bare = withStereo(ANSWER.replace("a=fmtp:111 minptime=10;useinbandfec=1\r\n", ""));
    expect(bare).toContain("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 stereo=1\r\n");
    expect(withStereo("v=0\r\n")).toBe("v=0\r\n");
  });
});
