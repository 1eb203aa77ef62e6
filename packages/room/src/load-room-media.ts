import type { OpenRoomMedia } from "./room-media.ts";

/** Fetches what WebRTC takes, which is large, when it is first wanted. @throws where it cannot be fetched. */
export async function loadRoomMedia(): Promise<OpenRoomMedia> {
  return (await import("./media-link.ts")).openMediaLink;
}
