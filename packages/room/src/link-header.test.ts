import { describe, expect, it } from "vitest";
import { iceServersOf } from "./link-header.ts";

describe("Link header (RFC 9725 § 4.6)", () => {
  it("names STUN and TURN servers with their credentials", () => {
    const header =
      '<stun:stun.example.net>; rel="ice-server", ' +
      '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="1763:anna"; credential="pass\\"word"; credential-type="password", ' +
      "<turns:turn.example.net:443>;rel=ice-server;username=u;credential=p";
    expect(iceServersOf(header)).toEqual([
      { urls: "stun:stun.example.net" },
      { urls: "turn:turn.example.net?transport=udp", username: "1763:anna", credential: 'pass"word' },
      { urls: "turns:turn.example.net:443", username: "u", credential: "p" },
    ]);
  });

  it("passes over what is not an ICE server", () => {
    const header =
      '</v1/whep/sessions/1/layers>; rel="urn:ietf:params:whep:ext:core:layer", <https://evil.example>; rel="ice-server"';
    expect(iceServersOf(header)).toEqual([]);
    expect(iceServersOf(null)).toEqual([]);
    expect(iceServersOf("nonsense")).toEqual([]);
    expect(iceServersOf(`<stun:a>; rel="ice-server"${" ".repeat(9000)}`)).toEqual([]);
  });
});
