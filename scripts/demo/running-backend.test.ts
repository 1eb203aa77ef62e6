import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findRunningBackend } from "./running-backend.ts";

const KNOWN = { channel: "demo", stream_key: "key-12345", http_port: 8080, rtmp_port: 1935, srt_port: 9000 };

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "klieg-demo-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const write = (content: unknown) =>
  writeFileSync(path.join(dataDir, "bootstrap.json"), typeof content === "string" ? content : JSON.stringify(content));

test("a backend that answers is found, with its key and ports", async () => {
  const server = createServer((_request, response) => response.end("ok")).listen(0);
  try {
    const { port } = server.address() as AddressInfo;
    write({ ...KNOWN, http_port: port, pid: 1 });
    expect(await findRunningBackend(dataDir)).toEqual({
      channel: "demo",
      streamKey: "key-12345",
      httpPort: port,
      rtmpPort: 1935,
      srtPort: 9000,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("none started, one that stopped, and files that are no use are told apart", async () => {
  await expect(findRunningBackend(dataDir)).rejects.toThrow("No backend has been started");
  write({ ...KNOWN, http_port: 1 });
  await expect(findRunningBackend(dataDir)).rejects.toThrow("it seems to have stopped");
  write({ ...KNOWN, stream_key: null });
  await expect(findRunningBackend(dataDir)).rejects.toThrow("give one with --key");
  write('{"channel": ');
  await expect(findRunningBackend(dataDir)).rejects.toThrow("damaged");
  write("null");
  await expect(findRunningBackend(dataDir)).rejects.toThrow("not what this version's backend writes");
});
