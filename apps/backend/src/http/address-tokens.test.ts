import { ManualClock } from "@klieg/base";
import { describe, expect, it } from "vitest";
import { AddressTokens } from "./address-tokens.ts";

describe("tokens by address (SEC5)", () => {
  const setUp = () => {
    const clock = new ManualClock();
    return { clock, tokens: new AddressTokens({ clock, burst: 3, perSecond: 1, message: "Wait." }) };
  };
  const taken = (tokens: AddressTokens, address: string) => {
    try {
      tokens.take(address);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: "rate_limited", message: "Wait." });
      return false;
    }
  };

  it("are used up, and come back with time", () => {
    const { clock, tokens } = setUp();
    expect([1, 2, 3, 4].map(() => taken(tokens, "192.0.2.1"))).toEqual([true, true, true, false]);
    expect(taken(tokens, "192.0.2.2")).toBe(true);
    clock.advance(1000);
    expect([taken(tokens, "192.0.2.1"), taken(tokens, "192.0.2.1")]).toEqual([true, false]);
    clock.advance(60_000);
    expect([1, 2, 3, 4].map(() => taken(tokens, "192.0.2.1"))).toEqual([true, true, true, false]);
  });

  it("are one address's however it is written, and one /64's", () => {
    const { tokens } = setUp();
    for (let uses = 0; uses < 3; uses += 1) tokens.use("::ffff:192.0.2.1");
    expect(taken(tokens, "192.0.2.1")).toBe(false);
    for (let uses = 0; uses < 3; uses += 1) tokens.use(`2001:db8::${uses + 1}`);
    expect(taken(tokens, "2001:db8:0:0:ffff::9")).toBe(false);
    expect(taken(tokens, "2001:db8:0:1::9")).toBe(true);
  });

  it("of ever so many addresses take bounded memory", () => {
    const { tokens } = setUp();
    for (let index = 0; index < 30_000; index += 1)
      tokens.use(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
    // The first ones are forgotten, and with them what they had used.
    for (let uses = 0; uses < 3; uses += 1) expect(taken(tokens, "10.0.0.0")).toBe(true);
  });
});
