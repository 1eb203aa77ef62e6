import { describe, expect, it } from "vitest";
import { type Lookup, resolveAnnounced, resolveHost } from "./address-resolution.ts";

const names: Record<string, string[]> = {
  "live.example": ["203.0.113.1", "203.0.113.2", "2001:db8::1"],
  "six.example": ["2001:db8::6"],
  myself: ["127.0.1.1", "::1"],
};
const lookup: Lookup = async (name) => {
  const found = names[name];
  if (found === undefined) throw new Error(`ENOTFOUND ${name}`);
  return found.map((address) => ({ address }));
};

describe("names of announced addresses (RTC4)", () => {
  it.each([
    [
      ["198.51.100.1", "2001:db8::9"],
      ["198.51.100.1", "2001:db8::9"],
    ],
    [["live.example"], ["203.0.113.1", "2001:db8::1"]],
    [
      ["six.example", "198.51.100.1"],
      ["2001:db8::6", "198.51.100.1"],
    ],
    [
      ["live.example", "203.0.113.1"],
      ["203.0.113.1", "2001:db8::1"],
    ],
  ])("%j are %j", async (announced, addresses) => {
    expect(await resolveAnnounced(announced, lookup)).toEqual(addresses);
  });

  it("stay names where they have no address, or mean this machine to itself", async () => {
    expect(await resolveAnnounced(["nowhere.example", "myself"], lookup)).toEqual(["nowhere.example", "myself"]);
  });

  it("a host to listen on is one address, or an error", async () => {
    expect(await resolveHost("::1", lookup)).toBe("::1");
    expect(await resolveHost("myself", lookup)).toBe("127.0.1.1");
    await expect(resolveHost("nowhere.example", lookup)).rejects.toThrow("ENOTFOUND");
  });
});
