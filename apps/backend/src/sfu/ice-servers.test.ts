import { describe, expect, it } from "vitest";
import { IceServers, IceServersSyntaxError, iceServerLinks, parseIceServers } from "./ice-servers.ts";

describe("ICE servers as the operator writes them (RTC4)", () => {
  it.each([
    ["", []],
    ["stun:stun.example", [{ urls: ["stun:stun.example"] }]],
    [
      " stun:192.0.2.1:3478 , turns:turn.example:5349?transport=tcp",
      [{ urls: ["stun:192.0.2.1:3478"] }, { urls: ["turns:turn.example:5349?transport=tcp"] }],
    ],
    ["turn:[2001:db8::1]:3478?transport=udp", [{ urls: ["turn:[2001:db8::1]:3478?transport=udp"] }]],
    [
      '[{"urls":["turn:a.example","turn:b.example"],"username":"u","credential":"p"}]',
      [{ urls: ["turn:a.example", "turn:b.example"], username: "u", credential: "p" }],
    ],
  ])("%s", (text, servers) => {
    expect(parseIceServers(text)).toEqual(servers);
  });

  it.each([
    ["http://turn.example", "an address looks like"],
    ["turn://turn.example", "an address looks like"],
    ["stun:stun.example?transport=udp", "an address looks like"],
    ["turn:a.example\r\nX: y", "an address looks like"],
    ["[{]", "not JSON"],
    ['[{"url":"stun:a"}]', "urls"],
    ['[{"urls":[]}]', "urls"],
    ['[{"urls":"turn:a","username":"u"}]', "go together"],
    ['[{"urls":"turn:a","username":"ü","credential":"p"}]', "ASCII"],
    ['[{"urls":"turn:a","username":"u","credential":"p\\n"}]', "ASCII"],
  ])("is told what is wrong with %s", (text, words) => {
    expect(() => parseIceServers(text)).toThrow(IceServersSyntaxError);
    expect(() => parseIceServers(text)).toThrow(words);
  });
});

describe("time-limited TURN credentials (RTC4)", () => {
  const servers = parseIceServers("stun:stun.example,turn:turn.example?transport=udp");

  it("are the expiry and the peer's name, signed with the shared secret", () => {
    const ice = new IceServers({ servers, turnSecret: "north", turnTtlS: 600, wall: () => 1_700_000_000_999 });
    expect(ice.issue("peer 1:x")).toEqual([
      { urls: ["stun:stun.example"] },
      {
        urls: ["turn:turn.example?transport=udp"],
        username: "1700000600:peer_1_x",
        // printf 1700000600:peer_1_x | openssl dgst -sha1 -hmac north -binary | base64
        credential: "So0kVhedvyRBgCT0gPakbc4mn2o=",
      },
    ]);
  });

  it("leave a server with fixed ones alone, and are not made up without a secret", () => {
    const fixed = { urls: ["turn:turn.example"], username: "u", credential: "p" };
    const wall = () => 0;
    expect(new IceServers({ servers: [fixed], turnSecret: "s", turnTtlS: 1, wall }).issue("x")).toEqual([fixed]);
    expect(new IceServers({ servers, turnSecret: undefined, turnTtlS: 1, wall }).issue("x")).toEqual(servers);
  });
});

describe("Link header fields (RFC 9725 § 4.6)", () => {
  it("have one address each, and credentials where a server relays", () => {
    const links = iceServerLinks([
      { urls: ["stun:stun.example"] },
      {
        urls: ["turn:turn.example?transport=udp", "turns:turn.example?transport=tcp"],
        username: "1:a",
        credential: "p=",
      },
    ]);
    expect(links).toEqual([
      '<stun:stun.example>; rel="ice-server"',
      '<turn:turn.example?transport=udp>; rel="ice-server"; username="1:a"; credential="p="; credential-type="password"',
      '<turns:turn.example?transport=tcp>; rel="ice-server"; username="1:a"; credential="p="; credential-type="password"',
    ]);
  });

  it("keep quotes and backslashes of a password", () => {
    const [link] = iceServerLinks([{ urls: ["turn:a"], username: 'a"b', credential: "c\\d" }]);
    expect(link).toContain('username="a\\"b"; credential="c\\\\d";');
  });
});
