import type { ChannelInfo } from "@klieg/protocol";
import { ApiError } from "@klieg/room";

// The backend validates what it sends with the schemas of @klieg/protocol. The player checks only what it would trip over, because
// shipping the validator would cost a fifth of the size budget.

const STATES = ["starting", "live", "interrupted", "ended"] as const;

/** @throws ApiError `malformed` */
export function readChannel(value: unknown): ChannelInfo {
  const record = asRecord(value);
  const playback = asRecord(record.playback ?? {});
  if (typeof record.name !== "string") throw malformed("a channel without a name");
  return {
    name: record.name,
    title: text(record.title) ?? record.name,
    live_stream_id: text(record.live_stream_id),
    state: STATES.find((state) => state === record.state) ?? null,
    live_since: Number.isNaN(Date.parse(text(record.live_since) ?? "")) ? null : text(record.live_since),
    playback: { hls: text(playback.hls), dash: text(playback.dash), whep: text(playback.whep) },
    default_playback: record.default_playback === "realtime" ? "realtime" : "hls",
    broadcast: readBroadcast(record.broadcast),
  };
}

/** What it is called now: by what is on air, else by itself. */
export function titleOf(channel: ChannelInfo): string {
  return channel.broadcast?.title || channel.title;
}

function readBroadcast(value: unknown): ChannelInfo["broadcast"] {
  if (typeof value !== "object" || value === null) return null;
  const { title, category, visibility, preview } = value as Record<string, unknown>;
  return {
    title: text(title) ?? "",
    category: text(category) ?? "",
    visibility: visibility === "unlisted" || visibility === "private" ? visibility : "public",
    preview: preview === true,
  };
}

/** @throws ApiError `malformed` */
export function readChannelList(value: unknown): ChannelInfo[] {
  const { channels } = asRecord(value);
  if (!Array.isArray(channels)) throw malformed("a list without channels");
  return channels.map(readChannel);
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw malformed("something that is not an object");
  return value as Record<string, unknown>;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function malformed(what: string): ApiError {
  return new ApiError("malformed", `The server answered with ${what}.`, true);
}
