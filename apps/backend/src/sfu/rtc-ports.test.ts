import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it } from "vitest";
import { findRtcPorts } from "./rtc-ports.ts";

const loopback = [{ ip: "127.0.0.1" }];

it("finds ports for every worker where none is asked for, and leaves them free (RTC4)", async () => {
  const { port, addresses } = await findRtcPorts({ port: 0, workers: 3, addresses: loopback });
  expect(port).toBeGreaterThan(1024);
  expect(addresses).toEqual(loopback);
  expect(await findRtcPorts({ port, workers: 3, addresses: loopback })).toEqual({ port, addresses });
});

it("names the port that is taken, UDP or TCP, be it a later worker's", async () => {
  const { port } = await findRtcPorts({ port: 0, workers: 2, addresses: loopback });
  const udp = createSocket("udp4").bind(port + 1, "127.0.0.1");
  await once(udp, "listening");
  await expect(findRtcPorts({ port, workers: 2, addresses: loopback })).rejects.toMatchObject({
    code: "EADDRINUSE",
    port: port + 1,
  });
  udp.close();
  await once(udp, "close");
  const tcp = createServer().listen(port, "127.0.0.1");
  await once(tcp, "listening");
  await expect(findRtcPorts({ port, workers: 1, addresses: loopback })).rejects.toMatchObject({
    code: "EADDRINUSE",
    port: (tcp.address() as AddressInfo).port,
  });
  tcp.close();
  await once(tcp, "close");
});

it("does without an address that cannot be bound", async () => {
  // Of the documentation's network: no machine has it.
  const { addresses } = await findRtcPorts({ port: 0, workers: 1, addresses: [{ ip: "192.0.2.1" }, ...loopback] });
  expect(addresses).toEqual(loopback);
});

it("has IPv4's and IPv6's any-address side by side on one port", async () => {
  const addresses = [{ ip: "0.0.0.0" }, { ip: "::" }];
  await expect(findRtcPorts({ port: 0, workers: 1, addresses })).resolves.toBeDefined();
});
