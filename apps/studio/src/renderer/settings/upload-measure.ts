import type { UploadTest } from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";
import type { EngineLink } from "../state/engine-store.ts";
import { settingsStrings } from "../strings/settings.ts";

/** What the network carries to one destination, or why that is not known. */
export interface MeasuredUpload {
  readonly destination: string;
  /** undefined where it could not be measured. */
  readonly upload: UploadTest | undefined;
  /** In words. */
  readonly problem: string | undefined;
}

/** Of what the network carried, so that others in the house may use it, too, and it may have a bad minute. */
const USED_SHARE = 0.75;

/** Measures what the network carries to one destination; the engine sends for some seconds. */
export async function measureUpload(link: EngineLink, { id, name, kind }: Destination): Promise<MeasuredUpload> {
  if (kind !== "klieg") {
    return { destination: name, upload: undefined, problem: settingsStrings.video.uploadOnlyKlieg };
  }
  try {
    const { upload } = await link.request("test_upload", { destination_id: id });
    return { destination: name, upload, problem: undefined };
  } catch (error) {
    return { destination: name, upload: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** bits/s of picture that go to all of them with room to spare; undefined where nothing is known that limits. */
export function roomFor(uploads: readonly MeasuredUpload[], audioBitrate: number): number | undefined {
  const known = uploads.flatMap(({ upload }) => upload ?? []);
  if (known.length === 0) return undefined;
  const narrowest = Math.min(...known.map(({ bitrate }) => bitrate));
  // Each destination is sent the whole, most often through the same door to the world.
  return Math.max(0, (narrowest * USED_SHARE) / known.length - audioBitrate);
}
