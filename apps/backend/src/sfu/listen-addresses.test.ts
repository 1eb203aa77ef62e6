import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { listenAddresses, tells } from "./listen-addresses.ts";

const on = (address: string, internal = false): NetworkInterfaceInfo =>
  address.includes(":")
    ? { address, internal, family: "IPv6", netmask: "", mac: "", cidr: null, scopeid: 0 }
    : { address, internal, family: "IPv4", netmask: "", mac: "", cidr: null };

const MACHINE = {
  lo: [on("127.0.0.1", true), on("::1", true)],
  eth0: [on("192.168.1.10"), on("2001:db8::10"), on("fe80::1")],
};
const listen = (announced: readonly string[], host?: string) => listenAddresses(announced, host, MACHINE);

describe("where WebRTC listens (RTC4)", () => {
  it("is every address by itself, outward ones first, none that needs a zone", () => {
    expect(listen([])).toEqual([{ ip: "192.168.1.10" }, { ip: "2001:db8::10" }, { ip: "127.0.0.1" }, { ip: "::1" }]);
    expect(listen([], "::")).toEqual(listen([]));
    expect(listen([], "0.0.0.0")).toEqual([{ ip: "192.168.1.10" }, { ip: "127.0.0.1" }]);
  });

  it("is the one address of KLIEG_HOST", () => {
    expect(listen([], "127.0.0.1")).toEqual([{ ip: "127.0.0.1" }]);
    expect(listen([], "::1")).toEqual([{ ip: "::1" }]);
  });

  it("is bounded on a machine with many networks", () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`br${index}`, [on(`10.0.${index}.1`)]]));
    expect(listenAddresses([], undefined, { ...MACHINE, ...many })).toHaveLength(8);
  });

  it("is nothing where there is no network", () => {
    expect(listenAddresses([], undefined, {})).toEqual([]);
  });
});

describe("announced addresses (RTC4)", () => {
  it("of a NAT: whatever arrives, once for each family", () => {
    expect(listen(["203.0.113.1"])).toEqual([{ ip: "0.0.0.0", announced: "203.0.113.1" }]);
    expect(listen(["203.0.113.1", "2001:db8:1::1"])).toEqual([
      { ip: "0.0.0.0", announced: "203.0.113.1" },
      { ip: "::", announced: "2001:db8:1::1" },
    ]);
    expect(listen(["live.example"])).toEqual([{ ip: "0.0.0.0", announced: "live.example" }]);
  });

  it("of the machine: these alone", () => {
    expect(listen(["192.168.1.10", "2001:db8::10"])).toEqual([{ ip: "192.168.1.10" }, { ip: "2001:db8::10" }]);
    expect(listen(["2001:db8::10"])).toEqual([{ ip: "2001:db8::10" }]);
  });

  it("of the loopback alone: whatever arrives, as a container's own loopback is not its host's", () => {
    expect(listen(["127.0.0.1"])).toEqual([{ ip: "0.0.0.0", announced: "127.0.0.1" }]);
    expect(listen(["127.0.0.1", "::1"])).toEqual([
      { ip: "0.0.0.0", announced: "127.0.0.1" },
      { ip: "::", announced: "::1" },
    ]);
    expect(listen(["127.0.0.1", "192.168.1.10"])).toEqual([{ ip: "127.0.0.1" }, { ip: "192.168.1.10" }]);
  });

  it("of both, as behind a home router: the one socket has two names", () => {
    expect(listen(["203.0.113.1", "192.168.1.10", "127.0.0.1"])).toEqual([
      { ip: "192.168.1.10", announced: "203.0.113.1", ownToo: true },
      { ip: "127.0.0.1" },
    ]);
  });

  it("with one address to listen on: of the same family before another", () => {
    expect(listen(["2001:db8:1::1", "203.0.113.1"], "192.168.1.10")).toEqual([
      { ip: "192.168.1.10", announced: "203.0.113.1" },
    ]);
    expect(listen(["2001:db8:1::1"], "192.168.1.10")).toEqual([{ ip: "192.168.1.10", announced: "2001:db8:1::1" }]);
    expect(listen(["127.0.0.1"], "127.0.0.1")).toEqual([{ ip: "127.0.0.1" }]);
  });

  it("are not all told where two NATs would share a socket", () => {
    const addresses = listen(["203.0.113.1", "203.0.113.2", "192.168.1.10"]);
    const told = ["203.0.113.1", "203.0.113.2", "192.168.1.10"].map((address) => tells(addresses, address));
    expect(told).toEqual([true, false, true]);
    expect(tells(listen(["203.0.113.1"]), "0.0.0.0")).toBe(false);
  });
});
