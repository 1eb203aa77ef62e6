import { describe, expect, it } from "vitest";
import { parseSrtStreamId } from "./stream-id.ts";

describe("ING2: stream keys in the SRT stream id", () => {
  it.each([
    ["demo_k", { key: "demo_k", channel: undefined }],
    ["publish:demo_k", { key: "demo_k", channel: undefined }],
    ["#!::r=demo,m=publish,u=demo_k", { key: "demo_k", channel: "demo" }],
    ["#!::u=demo_k", { key: "demo_k", channel: undefined }],
    ["#!::r=demo_k,m=publish", { key: "demo_k", channel: undefined }],
    ["#!::h=host,s=session,t=stream,r=demo,u=demo_k", { key: "demo_k", channel: "demo" }],
  ])("reads %s", (text, expected) => {
    expect(parseSrtStreamId(text)).toEqual(expected);
  });

  it.each([
    ["", "stream_key_missing"],
    ["publish:", "stream_key_missing"],
    ["#!::m=publish", "stream_key_missing"],
    ["read:demo_k", "method_not_allowed"],
    ["#!::r=demo,m=request,u=k", "method_not_allowed"],
    ["#!:{r=demo}", "bad_request"],
    ["#!::nonsense", "bad_request"],
    ["x".repeat(513), "bad_request"],
  ])("refuses %s", (text, code) => {
    expect(() => parseSrtStreamId(text)).toThrow(expect.objectContaining({ code }));
  });
});
