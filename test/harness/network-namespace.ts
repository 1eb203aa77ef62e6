import { execFileSync, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./child.ts";

/** Why there are no network namespaces here; undefined where there are. */
export const withoutNamespaces: string | undefined =
  process.platform !== "linux"
    ? "network namespaces are Linux's"
    : process.getuid?.() === 0
      ? whyNotHere()
      : "network namespaces need root";

/** Root of a container may still be kept from making them. */
function whyNotHere(): string | undefined {
  const name = `kl${process.pid.toString(36)}`;
  try {
    execFileSync("ip", ["netns", "add", name], { stdio: "pipe" });
    execFileSync("ip", ["netns", "exec", name, "true"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${(error as Error).message}`;
  } finally {
    spawnSync("ip", ["netns", "del", name], { stdio: "ignore" });
  }
}

/**
 * A network of its own for a program: one cable to this machine, with an address at each end, which can be changed and
 * cut like a real one. Linux, as root.
 */
export class NetworkNamespace implements AsyncDisposable {
  /** This machine's end of the cable. */
  readonly hostAddress: string;
  /** The one program's. */
  address: string;
  readonly #name: string;
  readonly #net: string;
  readonly #folder: string;

  private constructor(name: string, net: string, folder: string) {
    this.#name = name;
    this.#net = net;
    this.#folder = folder;
    this.hostAddress = `${net}.1`;
    this.address = `${net}.2`;
  }

  static async open(): Promise<NetworkNamespace> {
    const number = randomInt(0, 0x10_0000);
    // Of the block for measuring networks (RFC 2544): nobody's real one.
    const net = `198.${18 + (number & 1)}.${(number >> 1) & 0xff}`;
    const name = `kl${number.toString(36)}`;
    const folder = await mkdtemp(join(tmpdir(), "klieg-net-"));
    const namespace = new NetworkNamespace(name, net, folder);
    try {
      await run("ip", ["netns", "add", name]);
      await run("ip", ["link", "add", `${name}h`, "type", "veth", "peer", "name", "eth0", "netns", name]);
      await run("ip", ["addr", "add", `${namespace.hostAddress}/24`, "dev", `${name}h`]);
      await run("ip", ["link", "set", `${name}h`, "up"]);
      await namespace.#ip("addr", "add", `${namespace.address}/24`, "dev", "eth0");
      await namespace.#ip("link", "set", "lo", "up");
      await namespace.#ip("link", "set", "eth0", "up");
      await namespace.#ip("route", "add", "default", "via", namespace.hostAddress);
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
    return namespace;
  }

  /** A program's path that starts `program` in here; it goes with the namespace. */
  async wrap(program: string): Promise<string> {
    const file = join(this.#folder, `in-${this.#name}`);
    await writeFile(file, `#!/bin/sh\nexec ip netns exec ${this.#name} ${program} "$@"\n`);
    await chmod(file, 0o755);
    return file;
  }

  /** Moves on to another address, as when a telephone goes from one network to the next: the one before is gone. */
  async changeAddress(): Promise<void> {
    const before = this.address;
    this.address = `${this.#net}.${Number(before.split(".")[3]) + 1}`;
    await this.#ip("addr", "del", `${before}/24`, "dev", "eth0");
    await this.#ip("addr", "add", `${this.address}/24`, "dev", "eth0");
    // The route went with the address.
    await this.#ip("route", "replace", "default", "via", this.hostAddress);
  }

  /** Stops UDP on its way out, as many an office does; TCP goes on. */
  async blockUdp(): Promise<void> {
    await this.#ip("rule", "add", "ipproto", "udp", "prohibit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The cable goes with it. What still runs in there keeps no network that anybody could reach.
    await run("ip", ["link", "del", `${this.#name}h`]).catch(() => undefined);
    await run("ip", ["netns", "del", this.#name]).catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ip(...args: readonly string[]): Promise<void> {
    await run("ip", ["-n", this.#name, ...args]);
  }
}
