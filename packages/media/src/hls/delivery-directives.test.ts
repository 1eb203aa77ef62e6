import { expect, test } from "vitest";
import { parseDeliveryDirectives } from "./delivery-directives.ts";

const parse = (query: string) => {
  const parameters = new URLSearchParams(query);
  return parseDeliveryDirectives((name) => parameters.get(name) ?? undefined);
};

test("PKG1 rule 22: directives are decimal integers, and nothing else", () => {
  expect(parse("")).toEqual({ skip: false });
  expect(parse("token=x&_HLS_msn=0&_HLS_part=007")).toEqual({ msn: 0, part: 7, skip: false });
  expect(parse("_HLS_msn=9007199254740991")).toEqual({ msn: Number.MAX_SAFE_INTEGER, skip: false });
  for (const bad of ["", "-1", "+1", "1.0", "1e3", "0x10", " 1", "9007199254740992", "9".repeat(400), "NaN", "１"]) {
    expect(parse(`_HLS_msn=${encodeURIComponent(bad)}`)).toBeUndefined();
    expect(parse(`_HLS_msn=1&_HLS_part=${encodeURIComponent(bad)}`)).toBeUndefined();
  }
});

test("PKG1 rule 31: YES and v2 ask for a delta update, anything else does not", () => {
  expect(parse("_HLS_skip=YES")?.skip).toBe(true);
  expect(parse("_HLS_skip=v2")?.skip).toBe(true);
  for (const other of ["yes", "NO", "v3", ""]) expect(parse(`_HLS_skip=${other}`)?.skip).toBe(false);
});
