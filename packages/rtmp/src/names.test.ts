import { plainAddress } from "@klieg/base";
import { describe, expect, test } from "vitest";
import { ConnectionCounter } from "./connection-counter.ts";
import { parseRtmpUrl } from "./rtmp-url.ts";
import { splitName } from "./stream-name.ts";

describe("stream names (ING4)", () => {
  test("are decoded, and lose their query", () => {
    const { name, query } = splitName("/key%2D1?backup=1&x=a%20b");
    expect(name).toBe("key-1");
    expect([...query]).toEqual([
      ["backup", "1"],
      ["x", "a b"],
    ]);
    expect(splitName("100%").name).toBe("100%");
    expect(splitName("").name).toBe("");
  });
});

describe("addresses to publish to (STU3)", () => {
  test("are taken apart", () => {
    expect(parseRtmpUrl("rtmp://a.example/live2", "k?x=1")).toEqual({
      secure: false,
      host: "a.example",
      port: 1935,
      app: "live2",
      tcUrl: "rtmp://a.example/live2",
      streamKey: "k?x=1",
    });
    expect(parseRtmpUrl("rtmps://[::1]:444/app/inst/?t=1", "k")).toMatchObject({
      secure: true,
      host: "::1",
      port: 444,
      app: "app/inst?t=1",
      tcUrl: "rtmps://[::1]:444/app/inst?t=1",
    });
    expect(parseRtmpUrl("rtmp://h/live/key?x=1")).toMatchObject({ app: "live", streamKey: "key?x=1" });
  });

  test("that are none are refused", () => {
    for (const url of ["", "http://h/live", "rtmp:///live", "rtmp://h", "live"]) {
      expect(() => parseRtmpUrl(url, "k"), url).toThrow(TypeError);
    }
    expect(() => parseRtmpUrl("rtmp://h/live", "")).toThrow(TypeError);
    expect(() => parseRtmpUrl("rtmp://h/live")).toThrow(TypeError);
  });
});

describe("connections (SEC5)", () => {
  test("are counted in all and per source", () => {
    const counter = new ConnectionCounter(3, 2);
    expect(counter.enter("10.0.0.1")).toBeUndefined();
    expect(counter.enter("10.0.0.1")).toBeUndefined();
    expect(counter.enter("10.0.0.1")).toMatch(/from 10\.0\.0\.1/);
    expect(counter.enter("10.0.0.2")).toBeUndefined();
    expect(counter.enter("10.0.0.3")).toMatch(/more than 3/);
    counter.leave("10.0.0.1");
    expect(counter.enter("10.0.0.1")).toBeUndefined();
    expect(counter.total).toBe(3);
  });

  test("of one IPv6 /64 are one source's", () => {
    const counter = new ConnectionCounter(9, 1);
    expect(counter.enter("2001:db8::1")).toBeUndefined();
    expect(counter.enter("2001:db8:0:0:ffff::2")).toMatch(/2001:db8:0:0::\/64/);
    expect(counter.enter("2001:db8:0:1::1")).toBeUndefined();
  });

  test("lose IPv6 mapping and zone", () => {
    expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
    expect(plainAddress("::1")).toBe("::1");
  });
});
