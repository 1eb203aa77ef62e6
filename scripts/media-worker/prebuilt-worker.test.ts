import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetchPrebuiltWorker } from "./prebuilt-worker.ts";

let folder: string;
const servers: ReturnType<typeof createServer>[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "klieg-prebuilt-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  rmSync(folder, { recursive: true, force: true });
});

async function fetchFrom(respond: RequestListener, signal = new AbortController().signal): Promise<string> {
  const server = createServer(respond).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL: base };
  return fetchPrebuiltWorker({ version: "3.0.0", folder, environment, signal, silenceMs: 300 });
}

test("a server that says nothing is given up", async () => {
  await expect(fetchFrom(() => undefined)).rejects.toThrow(/^127[.]0[.]0[.]1:\d+ cannot be reached: silent for/);
});

test("a server that falls silent is given up", async () => {
  const failed = fetchFrom((_, response) => {
    response.writeHead(200, { "content-length": "1000" }).write("half");
  });
  await expect(failed).rejects.toThrow("silent for");
});

test("whoever waits can stop it, before and after it has begun", async () => {
  for (const begins of [false, true]) {
    const stop = new AbortController();
    const failed = fetchFrom((_, response) => {
      if (begins) response.writeHead(200).write("half");
      setTimeout(() => stop.abort(new Error("stopped")), 50);
    }, stop.signal);
    await expect(failed).rejects.toThrow("stopped");
  }
});

test("an answer that is none is told", async () => {
  await expect(fetchFrom((_, response) => response.writeHead(503).end())).rejects.toThrow("answered 503");
});
