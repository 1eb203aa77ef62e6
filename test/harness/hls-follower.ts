import { setTimeout as after } from "node:timers/promises";

/** A media playlist as it stood at one moment. */
export interface PlaylistSnapshot {
  readonly url: string;
  readonly text: string;
  /** Unix ms. */
  readonly at: number;
  readonly status: number;
  readonly headers: Headers;
}

export interface Part {
  readonly uri: string;
  readonly duration: number;
  readonly independent: boolean;
  readonly gap: boolean;
  readonly msn: number;
  readonly index: number;
}

/** A line-by-line reading of a media playlist: what a test wants to know of it, by the letter and nothing more. */
export interface ReadPlaylist {
  readonly targetDuration: number;
  readonly partTarget: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly skipped: number;
  readonly ended: boolean;
  readonly map: string | undefined;
  readonly segments: {
    readonly msn: number;
    readonly uri: string;
    readonly duration: number;
    readonly discontinuity: boolean;
    readonly gap: boolean;
    readonly programDateTime: number | undefined;
    readonly map: string | undefined;
  }[];
  readonly parts: Part[];
  readonly preloadHint: string | undefined;
  readonly reports: { readonly uri: string; readonly lastMsn: number; readonly lastPart: number | undefined }[];
}

function attribute(line: string, name: string): string | undefined {
  const match = new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line);
  return match?.[1] ?? match?.[2];
}

export function readPlaylist(text: string): ReadPlaylist {
  let targetDuration = Number.NaN;
  let partTarget = Number.NaN;
  let mediaSequence = 0;
  let discontinuitySequence = 0;
  let skipped = 0;
  let ended = false;
  let map: string | undefined;
  let preloadHint: string | undefined;
  let discontinuity = false;
  let gap = false;
  let programDateTime: number | undefined;
  let duration = Number.NaN;
  let index = 0;
  const segments: ReadPlaylist["segments"][number][] = [];
  const parts: Part[] = [];
  const reports: ReadPlaylist["reports"][number][] = [];
  const msn = () => mediaSequence + skipped + segments.length;
  for (const line of text.split("\n")) {
    const value = line.slice(line.indexOf(":") + 1);
    if (line.startsWith("#EXT-X-TARGETDURATION:")) targetDuration = Number(value);
    else if (line.startsWith("#EXT-X-PART-INF:")) partTarget = Number(attribute(line, "PART-TARGET"));
    else if (line.startsWith("#EXT-X-MEDIA-SEQUENCE:")) mediaSequence = Number(value);
    else if (line.startsWith("#EXT-X-DISCONTINUITY-SEQUENCE:")) discontinuitySequence = Number(value);
    else if (line.startsWith("#EXT-X-SKIP:")) skipped = Number(attribute(line, "SKIPPED-SEGMENTS"));
    else if (line === "#EXT-X-ENDLIST") ended = true;
    else if (line === "#EXT-X-DISCONTINUITY") discontinuity = true;
    else if (line === "#EXT-X-GAP") gap = true;
    else if (line.startsWith("#EXT-X-MAP:")) map = attribute(line, "URI");
    else if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:")) programDateTime = Date.parse(value);
    else if (line.startsWith("#EXT-X-PRELOAD-HINT:")) preloadHint = attribute(line, "URI");
    else if (line.startsWith("#EXT-X-RENDITION-REPORT:")) {
      const lastPart = attribute(line, "LAST-PART");
      reports.push({
        uri: attribute(line, "URI") ?? "",
        lastMsn: Number(attribute(line, "LAST-MSN")),
        lastPart: lastPart === undefined ? undefined : Number(lastPart),
      });
    } else if (line.startsWith("#EXT-X-PART:")) {
      parts.push({
        uri: attribute(line, "URI") ?? "",
        duration: Number(attribute(line, "DURATION")),
        independent: attribute(line, "INDEPENDENT") === "YES",
        gap: attribute(line, "GAP") === "YES",
        msn: msn(),
        index: index++,
      });
    } else if (line.startsWith("#EXTINF:")) duration = Number.parseFloat(value);
    else if (line !== "" && !line.startsWith("#")) {
      segments.push({ msn: msn(), uri: line, duration, discontinuity, gap, programDateTime, map });
      discontinuity = false;
      gap = false;
      programDateTime = undefined;
      index = 0;
    }
  }
  return {
    targetDuration,
    partTarget,
    mediaSequence,
    discontinuitySequence,
    skipped,
    ended,
    map,
    segments,
    parts,
    preloadHint,
    reports,
  };
}

/**
 * Follows a media playlist at its live edge by blocking reloads, as a player does, and keeps every version.
 * @param until stop when this is true of a version, or when the signal aborts, or at the end of the playlist.
 */
export async function followPlaylist(
  url: string,
  until: (snapshot: PlaylistSnapshot, playlist: ReadPlaylist) => boolean,
  signal: AbortSignal,
): Promise<PlaylistSnapshot[]> {
  const snapshots: PlaylistSnapshot[] = [];
  let next = url;
  while (!signal.aborted) {
    const response = await fetch(next, { signal });
    const text = await response.text();
    const snapshot = { url: next, text, at: Date.now(), status: response.status, headers: response.headers };
    snapshots.push(snapshot);
    if (response.status === 503) continue;
    if (response.status !== 200) throw new Error(`${next}: ${response.status} ${text}`);
    const playlist = readPlaylist(text);
    if (playlist.ended || until(snapshot, playlist)) break;
    const last = playlist.parts.at(-1);
    const openMsn = playlist.mediaSequence + playlist.skipped + playlist.segments.length;
    const part = last !== undefined && last.msn === openMsn ? last.index + 1 : 0;
    const query = `_HLS_msn=${openMsn}&_HLS_part=${part}`;
    next = `${url}${url.includes("?") ? "&" : "?"}${query}`;
    // One request a version: a server that answers at once again and again is a fault, but must not spin the test.
    await after(1);
  }
  return snapshots;
}

/** The variants and audio renditions of a multivariant playlist, with absolute addresses. */
export function readMultivariant(text: string, base: string) {
  const lines = text.split("\n");
  const variants = lines.flatMap((line, at) => {
    if (!line.startsWith("#EXT-X-STREAM-INF:")) return [];
    return [
      {
        url: new URL(lines[at + 1] ?? "", base).href,
        bandwidth: Number(attribute(line, "BANDWIDTH")),
        averageBandwidth: Number(attribute(line, "AVERAGE-BANDWIDTH")),
        codecs: attribute(line, "CODECS") ?? "",
        resolution: attribute(line, "RESOLUTION"),
        frameRate: Number(attribute(line, "FRAME-RATE")),
      },
    ];
  });
  const audio = lines.flatMap((line) =>
    line.startsWith("#EXT-X-MEDIA:TYPE=AUDIO") ? [{ url: new URL(attribute(line, "URI") ?? "", base).href }] : [],
  );
  return { variants, audio };
}
