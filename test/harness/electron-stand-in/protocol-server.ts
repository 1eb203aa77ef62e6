import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { setServerPort, toApp } from "./address.ts";

export type ProtocolHandler = (request: Request) => Promise<Response>;

/** Answers over HTTP what the app answers on its own scheme: Chromium's worklets ask nobody else. */
export async function serveProtocols(
  handlerOf: (scheme: string) => ProtocolHandler | undefined,
): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    answer(request, response, handlerOf).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  setServerPort((server.address() as AddressInfo).port);
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlerOf: (scheme: string) => ProtocolHandler | undefined,
): Promise<void> {
  const address = toApp(`http://${request.headers.host}${request.url}`);
  const handler = handlerOf(URL.parse(address)?.protocol.slice(0, -1) ?? "");
  if (handler === undefined) {
    response.writeHead(502).end();
    return;
  }
  const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const given = await handler(new Request(address, { method: request.method ?? "GET", headers }));
  response.writeHead(given.status, Object.fromEntries(given.headers));
  if (given.body === null) response.end();
  else await pipeline(Readable.fromWeb(given.body as ReadableStream<Uint8Array>), response);
}
