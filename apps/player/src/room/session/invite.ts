import type { RoomRole } from "@klieg/protocol";

/** An invite as it came with the address. Only the server knows whether it is good: what is read here is for words and layout. */
export interface Invite {
  readonly token: string;
  /** As the token says; null where it does not. */
  readonly role: RoomRole | null;
  /** ms since the epoch; null where the token does not say. */
  readonly expiresAt: number | null;
}

/** The invite of an address. It is in the fragment, which browsers never send to servers. @param hash e.g. `#invite=TOKEN`. */
export function inviteOf(hash: string): Invite | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("invite");
  if (!token) return null;
  const claims = claimsOf(token);
  return { token, role: roleOf(claims.role), expiresAt: typeof claims.exp === "number" ? claims.exp * 1000 : null };
}

function roleOf(value: unknown): RoomRole | null {
  return value === "host" || value === "speaker" || value === "attendee" ? value : null;
}

/** The payload of a JWT (RFC 7519 § 3), unverified; empty where it is none. */
function claimsOf(token: string): Record<string, unknown> {
  const payload = token.split(".")[1];
  if (!payload) return {};
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    // Mistyped or forged: the server will say so.
    return {};
  }
}
