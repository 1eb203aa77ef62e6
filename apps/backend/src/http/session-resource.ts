/** What a page of another origin may read of the answers of WHIP and WHEP. */
export const EXPOSED_HEADERS = ["Accept-Patch", "Accept-Post", "Allow", "ETag", "Link", "Location", "Retry-After"];

/** Ids of sessions: 18 random bytes in base64url. */
export const SESSION_ID = /^[A-Za-z0-9_-]{24}$/;

/** What the log of a TURN server may show of a session: too little to get at its resource. */
export function sessionTag(id: string): string {
  return id.slice(0, 8);
}
