import { hkdfSync } from "node:crypto";
import { KliegError, RoomRole } from "@klieg/protocol";
import { errors, jwtVerify, SignJWT } from "jose";

/** What an invite's token says. */
export interface InviteClaims {
  /** The invite's id (`jti`). */
  readonly id: string;
  readonly room: string;
  readonly role: RoomRole;
  /** Unix ms. */
  readonly expiresAt: number;
}

const ALGORITHM = "HS256";
const INVITES = "klieg-room";
const DOWNLOADS = "klieg-recording";

/** Makes and checks the tokens of rooms: JSON Web Tokens (RFC 7519), signed with a secret of this installation. */
export class InviteSigner {
  readonly #key: Uint8Array;
  readonly #wall: () => number;

  /**
   * @param secret the installation's; the tokens' own key is derived from it.
   * @param wall Unix time, ms.
   */
  constructor(secret: Uint8Array, wall: () => number) {
    this.#key = new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), "klieg room invites 1", 32));
    this.#wall = wall;
  }

  signInvite(claims: InviteClaims): Promise<string> {
    return new SignJWT({ room: claims.room, role: claims.role })
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setAudience(INVITES)
      .setJti(claims.id)
      .setIssuedAt(Math.floor(this.#wall() / 1000))
      .setExpirationTime(Math.floor(claims.expiresAt / 1000))
      .sign(this.#key);
  }

  /** @throws {KliegError} `invite_invalid`, `invite_expired`. Whether it was revoked is not its business. */
  async verifyInvite(token: string): Promise<InviteClaims> {
    const { jti, room, role, exp } = await this.#verify(token, INVITES);
    const known = RoomRole.safeParse(role);
    if (jti === undefined || typeof room !== "string" || !known.success || exp === undefined) throw invalid();
    return { id: jti, room, role: known.data, expiresAt: exp * 1000 };
  }

  /** @param forMs how long it can be used. */
  signDownload(recordingId: string, forMs: number): Promise<string> {
    return new SignJWT({})
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setAudience(DOWNLOADS)
      .setSubject(recordingId)
      .setExpirationTime(Math.floor((this.#wall() + forMs) / 1000))
      .sign(this.#key);
  }

  /** @throws {KliegError} `invite_invalid`, `invite_expired`. */
  async verifyDownload(token: string, recordingId: string): Promise<void> {
    const { sub } = await this.#verify(token, DOWNLOADS);
    if (sub !== recordingId) throw invalid();
  }

  async #verify(token: string, audience: string) {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        audience,
        currentDate: new Date(this.#wall()),
        requiredClaims: ["exp"],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        throw new KliegError("invite_expired", "This link has expired. Ask for a new one.", { cause: error });
      }
      throw invalid(error);
    }
  }
}

function invalid(cause?: unknown): KliegError {
  return new KliegError("invite_invalid", "This link is not valid. Copy it again, or ask for a new one.", { cause });
}
