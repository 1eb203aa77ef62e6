import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { KliegError } from "@klieg/protocol";
import type { Destination } from "../document/destination.ts";
import type { KliegBackend } from "./backend/klieg-backend.ts";
import type { EngineHandlers } from "./engine-handlers.ts";
import type { EngineStores } from "./keeping-requests.ts";

const CONNECT_MS = 8000;
const RTMP_PORT = { "rtmp:": 1935, "rtmps:": 443 } as const;

/** Answers what is asked before the first broadcast: who is there, and whether it would take the show. */
export function backendRequests(
  backend: KliegBackend,
  { show, secrets }: EngineStores,
): EngineHandlers<"check_backend" | "check_destination"> {
  return {
    check_backend: async ({ url }) => ({ backend: await backend.check(url) }),
    check_destination: async ({ destination_id: id }) => {
      const destination = show.document.destinations.find((candidate) => candidate.id === id);
      if (destination === undefined) throw new KliegError("not_found", "The show has no such destination.");
      if (destination.kind !== "klieg") {
        await reach(destination);
        return { channel: null, watch_url: null };
      }
      const key = await secrets.get(id, "stream_key");
      if (key === undefined) throw new KliegError("stream_key_missing", "Enter the destination's stream key first.");
      const { channel, watch } = await backend.checkKey(destination, key);
      return { channel, watch_url: watch };
    },
  };
}

/**
 * Other platforms say only to who publishes whether they would take it, and publishing could end a show that is on air there: so
 * their address is tried, no more.
 */
async function reach(destination: Exclude<Destination, { kind: "klieg" }>): Promise<void> {
  const { hostname, port, protocol } = new URL(destination.url);
  const host = hostname.replace(/^\[|\]$/g, "");
  try {
    // SRT is UDP: nobody answers before the handshake, which is publishing.
    if (destination.kind === "srt") await lookup(host);
    else await connectTo(host, port === "" ? RTMP_PORT[protocol as keyof typeof RTMP_PORT] : Number(port));
  } catch (error) {
    if (error instanceof KliegError) throw error;
    const { code = "" } = error as NodeJS.ErrnoException;
    const words = code === "ENOTFOUND" ? "its name is not known" : "nothing answers at this address and port";
    throw new KliegError("unreachable", `${host} cannot be reached: ${words}.`, { cause: error });
  }
}

async function connectTo(host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port, timeout: CONNECT_MS });
  socket.once("connect", resolve);
  socket.once("error", reject);
  socket.once("timeout", () => reject(new KliegError("timeout", `${host} does not answer.`)));
  try {
    await promise;
  } finally {
    socket.destroy();
  }
}
