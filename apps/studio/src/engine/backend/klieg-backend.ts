import type { Clock } from "@klieg/base";
import {
  BackendCheck,
  ChannelList,
  KliegError,
  type ServerHealth,
  ServerInfo,
  StartedStream,
  StreamHealth,
  StreamId,
  StreamInfo,
  StreamKeyCheck,
} from "@klieg/protocol";
import type { z } from "zod";
import type { KliegDestination, KliegDetails, KliegDoor, KliegStart } from "../publish/broadcast-ports.ts";
import { exchange, type HttpRequest, refusalOf } from "./http-exchange.ts";
import { apiUrl, ask, baseOf, json } from "./klieg-api.ts";

/** Channels that are listed to the operator; more are not looked through. */
const MAX_CHANNELS = 200;
/** A server that is asked every two seconds has so long, ms. */
const HEALTH_MS = 4000;

/** The HTTP side of Klieg backends. Addresses are those that the operator entered; a path in front of the API is kept. */
export class KliegBackend implements KliegDoor {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks who is there. @throws {KliegError} `unreachable` with words, also for a server that is none of Klieg. */
  async check(url: string): Promise<BackendCheck> {
    const base = baseOf(url);
    const server = await this.#server(base);
    // Its list may be hidden: then the key tells the channel.
    const listed = await ask(ChannelList, { method: "GET", url: apiUrl(base, "v1/channels") }).catch(
      (error: unknown) => {
        if (error instanceof KliegError && !error.retryable) return { channels: [] };
        throw error;
      },
    );
    const channels = listed.channels.slice(0, MAX_CHANNELS).map(({ name, title, state }) => ({
      name,
      title,
      live: state === "live",
    }));
    return BackendCheck.parse({
      url: base.href.replace(/\/$/, ""),
      version: server.version,
      webrtc: server.webrtc,
      channels,
    });
  }

  /** What a stream key opens. @throws {KliegError} `stream_key_invalid` and the like, `unreachable`. */
  async checkKey({ url }: KliegDestination, key: string): Promise<StreamKeyCheck> {
    const base = baseOf(url);
    await this.#server(base);
    return await ask(StreamKeyCheck, { method: "GET", url: apiUrl(base, "v1/stream-key"), bearer: key });
  }

  async start({ url }: KliegDestination, key: string, details: KliegDetails, signal: AbortSignal): Promise<KliegStart> {
    const started = await ask(StartedStream, {
      method: "POST",
      url: apiUrl(baseOf(url), "v1/streams/start"),
      bearer: key,
      signal,
      ...json(wireDetails(details)),
    });
    const { stream_id, ingest, preview, visibility, preview_access, playback } = started;
    const hidden = preview || visibility === "private";
    return {
      streamId: stream_id,
      watchUrl: hidden ? preview_access.watch : playback.watch,
      srt: ingest.srt,
      whip: ingest.whip,
    };
  }

  async change(
    { url }: KliegDestination,
    key: string,
    streamId: string,
    details: Partial<KliegDetails>,
  ): Promise<{ readonly watchUrl: string | null }> {
    const stream = await ask(StreamInfo, {
      method: "PATCH",
      url: apiUrl(baseOf(url), `v1/streams/${StreamId.parse(streamId)}`),
      bearer: key,
      ...json(wireDetails(details)),
    });
    const hidden = stream.preview || stream.visibility === "private";
    if (hidden) return { watchUrl: stream.preview_access?.watch ?? null };
    return { watchUrl: apiUrl(baseOf(url), `watch/${stream.channel}`).href };
  }

  async stop({ url }: KliegDestination, key: string, streamId: string): Promise<void> {
    const request: HttpRequest = {
      method: "POST",
      url: apiUrl(baseOf(url), "v1/streams/stop"),
      bearer: key,
      ...json({ stream_id: streamId }),
    };
    const answer = await exchange(request);
    // One that is not there any more is what was asked for.
    if (answer.status < 300 || answer.status === 404 || answer.status === 410) return;
    throw refusalOf(request.url, answer);
  }

  /** What the server says of the broadcast (STU4). @throws {KliegError} */
  async health(
    { id, url }: KliegDestination,
    key: string,
    streamId: string,
    signal: AbortSignal,
  ): Promise<ServerHealth> {
    const path = `v1/streams/${StreamId.parse(streamId)}`;
    const get = <T extends z.ZodType>(schema: T, to: string) =>
      ask(schema, { method: "GET", url: apiUrl(baseOf(url), to), bearer: key, signal, timeoutMs: HEALTH_MS });
    const [health, stream] = await Promise.all([get(StreamHealth, `${path}/health`), get(StreamInfo, path)]);
    const { ingest, viewers, realtime, warnings, state } = health;
    return {
      destination: id,
      state,
      bitrate: ingest?.bitrate ?? 0,
      frame_rate: ingest?.frame_rate ?? 0,
      keyframe_interval_ms: ingest?.keyframe_interval_ms ?? null,
      warnings: warnings.slice(0, 20),
      renditions: stream.renditions
        .slice(0, 20)
        .map(({ name, state, width, height }) => ({ name, state, width, height })),
      viewers: viewers.hls + Math.max(viewers.webrtc, realtime.viewers),
      at: this.#clock.wall(),
    };
  }

  async #server(base: URL): Promise<ServerInfo> {
    try {
      return await ask(ServerInfo, { method: "GET", url: apiUrl(base, "v1/server") });
    } catch (error) {
      if (!(error instanceof KliegError) || error.code === "timeout" || error.code === "unreachable") throw error;
      const words = `${base.host} answers, but not as a Klieg backend does. Check the address and the port.`;
      throw new KliegError("unreachable", words, { cause: error });
    }
  }
}

function wireDetails({ public_at, ...details }: Partial<KliegDetails>): object {
  if (public_at === undefined) return details;
  return { ...details, public_at: public_at === null ? null : new Date(public_at).toISOString() };
}
