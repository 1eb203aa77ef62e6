import { KliegError } from "@klieg/protocol";

/** What an SRT caller's stream id asks for. */
export interface SrtStreamId {
  readonly key: string;
  /** The channel that the caller named, if it did; it must be the key's. */
  readonly channel: string | undefined;
}

/** SRT's limit (draft-sharabayko-srt-01 § 3.2.1.3), bytes. */
export const MAX_STREAM_ID_LENGTH = 512;

/**
 * Reads a stream id in any of the forms that encoders are told to use (ING2): `KEY`, `publish:KEY`, or the access
 * control syntax `#!::r=CHANNEL,m=publish,u=KEY` (libsrt's access-control guide).
 * @throws {KliegError} `stream_key_missing`, `bad_request`, `method_not_allowed`.
 */
export function parseSrtStreamId(text: string): SrtStreamId {
  if (text.length > MAX_STREAM_ID_LENGTH) throw new KliegError("bad_request", "The stream id is too long.");
  if (text === "") throw new KliegError("stream_key_missing", "Put the stream key into the stream id.");
  if (text.startsWith("#!::")) return parseAccessControl(text.slice(4));
  if (text.startsWith("#!:")) throw new KliegError("bad_request", "Only the flat #!:: form of a stream id is taken.");
  const colon = text.indexOf(":");
  if (colon === -1) return { key: text, channel: undefined };
  refuseOtherThanPublish(text.slice(0, colon));
  return withKey(text.slice(colon + 1), undefined);
}

function parseAccessControl(text: string): SrtStreamId {
  const fields = new Map<string, string>();
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new KliegError("bad_request", "A stream id is #!::key=value,key=value.");
    fields.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const mode = fields.get("m");
  if (mode !== undefined) refuseOtherThanPublish(mode);
  const resource = fields.get("r");
  const user = fields.get("u");
  // Some encoders have room for one name only and put the key into the resource.
  if (user === undefined) return withKey(resource ?? "", undefined);
  return withKey(user, resource === "" ? undefined : resource);
}

function withKey(key: string, channel: string | undefined): SrtStreamId {
  if (key === "") throw new KliegError("stream_key_missing", "The stream id has no stream key.");
  return { key, channel };
}

function refuseOtherThanPublish(mode: string): void {
  if (mode === "publish") return;
  throw new KliegError("method_not_allowed", "This address only takes streams in: use m=publish.");
}
