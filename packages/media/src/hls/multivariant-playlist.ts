import { PlaylistError } from "./playlist-error.ts";
import { quoted, uriLine } from "./playlist-text.ts";

/** A rendition of sound: EXT-X-MEDIA (RFC 8216bis §4.4.6.1). */
export interface AudioRendition {
  readonly groupId: string;
  readonly uri: string;
  /** Unique in its group; what a menu shows. */
  readonly name: string;
  /** RFC 5646, e.g. `en`. */
  readonly language?: string;
  /** At most one of a group. */
  readonly isDefault: boolean;
  /** Whether a player may choose it by the system's language. Default: as `isDefault`. */
  readonly autoselect?: boolean;
  readonly channels?: number;
  /** RFC 6381 */
  readonly codec: string;
  /** Peak and average segment bit rate of this playlist, bits/s. */
  readonly bandwidth: number;
  readonly averageBandwidth: number;
}

/** A variant stream: EXT-X-STREAM-INF (§4.4.6.2). */
export interface VariantStream {
  readonly uri: string;
  /** RFC 6381, of this playlist's own media. */
  readonly codecs: readonly string[];
  /** Peak and average segment bit rate of this playlist alone, bits/s; the sound of its group is added when printed. */
  readonly bandwidth: number;
  readonly averageBandwidth: number;
  readonly resolution?: { readonly width: number; readonly height: number };
  /** Frames a second. */
  readonly frameRate?: number;
  /** `groupId` of its sound, when that is in renditions of its own. */
  readonly audioGroup?: string;
}

export interface MultivariantPlaylist {
  readonly independentSegments?: boolean;
  readonly audio: readonly AudioRendition[];
  /** In order of preference: the first is where a player begins. */
  readonly variants: readonly VariantStream[];
}

/**
 * The Multivariant Playlist (§4.4.6).
 * @param mapUri applied to every URI: adds a token, say.
 * @throws PlaylistError `bad_option`: a group that no rendition is in, or two defaults or equal names in one group;
 *   `bad_text`: a value that an attribute cannot hold.
 */
export function renderMultivariant(
  playlist: MultivariantPlaylist,
  mapUri: (uri: string) => string = (uri) => uri,
): string {
  const groups = groupAudio(playlist.audio);
  let text = "#EXTM3U\n#EXT-X-VERSION:6\n";
  if (playlist.independentSegments === true) text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  for (const rendition of playlist.audio) {
    const attributes = ["TYPE=AUDIO", `GROUP-ID=${quoted(rendition.groupId)}`, `NAME=${quoted(rendition.name)}`];
    if (rendition.language !== undefined) attributes.push(`LANGUAGE=${quoted(rendition.language)}`);
    attributes.push(`DEFAULT=${yesNo(rendition.isDefault)}`);
    // A default rendition must be one that a player may choose by itself.
    attributes.push(`AUTOSELECT=${yesNo(rendition.isDefault || rendition.autoselect === true)}`);
    if (rendition.channels !== undefined) attributes.push(`CHANNELS="${integer(rendition.channels)}"`);
    attributes.push(`URI=${quoted(mapUri(rendition.uri))}`);
    text += `#EXT-X-MEDIA:${attributes.join(",")}\n`;
  }
  for (const variant of playlist.variants) {
    const sound = variant.audioGroup === undefined ? [] : groups.get(variant.audioGroup);
    if (sound === undefined) throw new PlaylistError("bad_option", `no rendition in group ${variant.audioGroup}`);
    // The largest sum that any playable combination comes to.
    const bandwidth = variant.bandwidth + Math.max(0, ...sound.map((rendition) => rendition.bandwidth));
    const average = variant.averageBandwidth + Math.max(0, ...sound.map((rendition) => rendition.averageBandwidth));
    const codecs = new Set([...variant.codecs, ...sound.map((rendition) => rendition.codec)]);
    const attributes = [
      `BANDWIDTH=${integer(Math.max(1, Math.ceil(bandwidth)))}`,
      `AVERAGE-BANDWIDTH=${integer(Math.max(1, Math.ceil(average)))}`,
      `CODECS=${quoted([...codecs].join(","))}`,
    ];
    if (variant.resolution !== undefined) {
      attributes.push(`RESOLUTION=${integer(variant.resolution.width)}x${integer(variant.resolution.height)}`);
    }
    if (variant.frameRate !== undefined) attributes.push(`FRAME-RATE=${variant.frameRate.toFixed(3)}`);
    if (variant.audioGroup !== undefined) attributes.push(`AUDIO=${quoted(variant.audioGroup)}`);
    attributes.push("CLOSED-CAPTIONS=NONE");
    text += `#EXT-X-STREAM-INF:${attributes.join(",")}\n${uriLine(mapUri(variant.uri))}\n`;
  }
  return text;
}

function groupAudio(renditions: readonly AudioRendition[]): Map<string, AudioRendition[]> {
  const groups = new Map<string, AudioRendition[]>();
  for (const rendition of renditions) {
    const group = groups.get(rendition.groupId) ?? [];
    if (group.some((other) => other.name === rendition.name)) {
      throw new PlaylistError("bad_option", `two renditions named ${rendition.name} in group ${rendition.groupId}`);
    }
    if (rendition.isDefault && group.some((other) => other.isDefault)) {
      throw new PlaylistError("bad_option", `two defaults in group ${rendition.groupId}`);
    }
    group.push(rendition);
    groups.set(rendition.groupId, group);
  }
  return groups;
}

function yesNo(value: boolean): string {
  return value ? "YES" : "NO";
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new PlaylistError("bad_text", `${value} is no decimal-integer`);
  return String(value);
}
