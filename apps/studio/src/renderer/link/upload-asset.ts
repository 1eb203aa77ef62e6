import { PROGRAM_HEADER_BYTES, type StudioAsset, writeProgramHeader } from "@klieg/protocol";
import type { StudioLink } from "./studio-link.ts";

/** A piece of a file, bytes. */
const PIECE = 256 * 1024;
/** What may wait in the link: media of a running program must get through in between. */
const MAX_WAITING = 1024 * 1024;
const DRAIN_CHECK_MS = 20;

export interface UploadOptions {
  /** Told of the share that was sent, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Gives a file to the engine, which keeps it for the show. The page reads it at `assets/ID` then.
 * @throws {KliegError} what the engine says: no room, no link.
 */
export async function uploadAsset(
  link: Pick<StudioLink, "request" | "sendMedia" | "buffered">,
  file: File,
  { onProgress, signal }: UploadOptions = {},
): Promise<StudioAsset> {
  const media_type = file.type.slice(0, 100);
  const name = file.name.slice(-255);
  const { asset_id, upload } = await link.request("begin_asset", { name, media_type, size: file.size });
  try {
    for (let offset = 0; offset < file.size; offset += PIECE) {
      const data = new Uint8Array(await file.slice(offset, offset + PIECE).arrayBuffer());
      while (link.buffered > MAX_WAITING) await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS));
      signal?.throwIfAborted();
      const message = new Uint8Array(PROGRAM_HEADER_BYTES + data.length);
      message.set(data, PROGRAM_HEADER_BYTES);
      const none = { width: 0, height: 0, sampleRate: 0, channels: 0, keyframe: false };
      writeProgramHeader(message, { kind: "asset", upload, timestamp: offset, ...none });
      link.sendMedia(message);
      onProgress?.(Math.min(1, (offset + data.length) / file.size));
    }
    const { asset } = await link.request("finish_asset", { asset_id });
    return asset;
  } catch (error) {
    // What was begun is not to stay; where the link is gone, the engine lets go of it by itself.
    await link.request("remove_asset", { asset_id }).catch(() => undefined);
    throw error;
  }
}
