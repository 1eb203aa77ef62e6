import { once } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { STUDIO_CLOSE } from "@klieg/protocol";
import { expect, test } from "vitest";
import type { EnginePeer } from "../engine/engine-peer.ts";
import { carryPort, type EnginePort } from "./port-carrier.ts";

/** Node.js's port with the shape of Electron's: its listeners get an event. */
function enginePort(port: MessagePort): EnginePort {
  return {
    on: (event: "message" | "close", listener: (event: never) => void) =>
      port.on(event, (data: unknown) => listener({ data } as never)),
    postMessage: (message) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
  };
}

function carried() {
  const { port1, port2 } = new MessageChannel();
  const texts: string[] = [];
  const media: number[] = [];
  const ended = Promise.withResolvers<void>();
  const peers: EnginePeer[] = [];
  carryPort(enginePort(port1), (peer) => {
    peers.push(peer);
    return {
      receive: (text) => {
        texts.push(text);
        peer.send(`re: ${text}`);
      },
      receiveMedia: (bytes) => media.push(bytes.length),
      closed: () => ended.resolve(),
    };
  });
  const next = async () => ((await once(port2, "message")) as [unknown])[0];
  return { page: port2, texts, media, ended: ended.promise, peers, next };
}

test("text and media reach the engine, answers the page, and the page is told what was taken (STU3)", async () => {
  const { page, texts, media, next, ended } = carried();
  page.postMessage("hello");
  expect(await next()).toBe("re: hello");
  expect(texts).toEqual(["hello"]);
  page.postMessage(new Uint8Array(1000));
  page.postMessage(new Uint8Array(24));
  let taken: unknown = 0;
  while (taken !== 1024) taken = await next();
  expect(media).toEqual([1000, 24]);
  page.close();
  await ended;
});

test("media reach the page, and the engine knows what it has not taken yet (STU1)", async () => {
  const { page, peers, next, ended } = carried();
  const [peer] = peers;
  peer?.sendMedia(new Uint8Array(500));
  peer?.sendMedia(new Uint8Array(24));
  expect(await next()).toHaveLength(500);
  expect(peer?.behind).toBe(524);
  page.postMessage(500);
  page.postMessage("taken");
  let answer: unknown;
  while (answer !== "re: taken") answer = await next();
  expect(peer?.behind).toBe(24);
  // More than it was ever given it cannot have taken.
  page.postMessage(525);
  await ended;
  expect(peer?.behind).toBe(0);
});

test("what is no message of the protocol ends the connection with a word (SEC5)", async () => {
  for (const nonsense of [{ a: 1 }, null, 7, new ArrayBuffer(8), new Uint8Array(17 * 1024 * 1024)]) {
    const { page, next, ended } = carried();
    page.postMessage(nonsense);
    expect(await next()).toMatchObject({ close: STUDIO_CLOSE.protocol });
    await ended;
  }
});

test("the engine's farewell reaches the page, and nothing after it", async () => {
  const { page, peers, ended } = carried();
  const said: unknown[] = [];
  page.on("message", (message) => said.push(message));
  peers[0]?.send("before");
  peers[0]?.close(STUDIO_CLOSE.replaced, "another page");
  await Promise.resolve();
  peers[0]?.send("after");
  await ended;
  await once(page, "close");
  expect(said).toEqual(["before", { close: STUDIO_CLOSE.replaced, reason: "another page" }]);
});
