/** A media playlist as its lines say, read without any code of the model's. */
export interface ReadPlaylist {
  readonly tags: Readonly<Record<string, string>>;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly skipped: number;
  readonly segments: readonly ReadSegment[];
  /** The segment at the end that has parts but no EXTINF yet. */
  readonly open: ReadSegment | undefined;
  readonly hints: readonly string[];
  readonly reports: readonly string[];
  readonly ended: boolean;
}

export interface ReadSegment {
  readonly msn: number;
  /** EXTINF as printed, in hundred-thousandths of a second; undefined while open. */
  readonly units: number | undefined;
  readonly uri: string | undefined;
  readonly discontinuity: boolean;
  readonly discontinuitySequence: number;
  /** URI of the EXT-X-MAP in force. */
  readonly map: string | undefined;
  readonly programDateTime: string | undefined;
  readonly gap: boolean;
  readonly parts: readonly ReadPart[];
}

export interface ReadPart {
  readonly uri: string;
  readonly units: number;
  readonly independent: boolean;
  readonly gap: boolean;
}

/** Seconds with five decimals as hundred-thousandths. */
export function printedUnits(text: string): number {
  const match = /^(\d+)\.(\d{5})$/.exec(text);
  if (match === null) throw new Error(`not a duration with five decimals: ${text}`);
  return Number(match[1]) * 100_000 + Number(match[2]);
}

/** @throws Error on anything that the model never prints. */
export function readMediaPlaylist(text: string): ReadPlaylist {
  const lines = text.split("\n");
  if (lines.shift() !== "#EXTM3U") throw new Error("no #EXTM3U");
  if (lines.pop() !== "") throw new Error("no line break at the end");
  const tags: Record<string, string> = {};
  const segments: ReadSegment[] = [];
  const hints: string[] = [];
  const reports: string[] = [];
  let map: string | undefined;
  let skipped = 0;
  let discontinuities = 0;
  let draft: { -readonly [Key in keyof ReadSegment]: ReadSegment[Key] } | undefined;
  const current = () => {
    draft ??= {
      msn: Number(tags["EXT-X-MEDIA-SEQUENCE"]) + skipped + segments.length,
      units: undefined,
      uri: undefined,
      discontinuity: false,
      discontinuitySequence: 0,
      map: undefined,
      programDateTime: undefined,
      gap: false,
      parts: [],
    };
    return draft;
  };
  const finish = () => {
    const segment = current();
    segment.map = map;
    segment.discontinuitySequence = Number(tags["EXT-X-DISCONTINUITY-SEQUENCE"]) + discontinuities;
    draft = undefined;
    return segment;
  };
  const beforeParts = (tag: string) => {
    if (current().parts.length > 0) throw new Error(`${tag} after a part of its segment`);
  };
  for (const line of lines) {
    if (!line.startsWith("#")) {
      current().uri = line;
      segments.push(finish());
      continue;
    }
    const colon = line.indexOf(":");
    const tag = colon < 0 ? line.slice(1) : line.slice(1, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1);
    switch (tag) {
      case "EXT-X-DISCONTINUITY":
        beforeParts(tag);
        current().discontinuity = true;
        discontinuities += 1;
        break;
      case "EXT-X-MAP":
        beforeParts(tag);
        map = attribute(value, "URI");
        break;
      case "EXT-X-PROGRAM-DATE-TIME":
        beforeParts(tag);
        current().programDateTime = value;
        break;
      case "EXT-X-GAP":
        current().gap = true;
        break;
      case "EXT-X-PART":
        current().parts = [
          ...current().parts,
          {
            uri: attribute(value, "URI") ?? "",
            units: printedUnits(/DURATION=([0-9.]+)/.exec(value)?.[1] ?? ""),
            independent: value.includes("INDEPENDENT=YES"),
            gap: value.includes("GAP=YES"),
          },
        ];
        break;
      case "EXTINF":
        current().units = printedUnits(value.slice(0, -1));
        break;
      case "EXT-X-SKIP":
        if (skipped > 0 || segments.length > 0) throw new Error("EXT-X-SKIP twice or after a segment");
        skipped = Number(/^SKIPPED-SEGMENTS=(\d+)$/.exec(value)?.[1]);
        break;
      case "EXT-X-PRELOAD-HINT":
        hints.push(attribute(value, "URI") ?? "");
        break;
      case "EXT-X-RENDITION-REPORT":
        reports.push(value);
        break;
      default:
        if (tags[tag] !== undefined) throw new Error(`${tag} twice`);
        if (segments.length > 0 && tag !== "EXT-X-ENDLIST") throw new Error(`${tag} after a segment`);
        tags[tag] = value;
    }
  }
  return {
    tags,
    mediaSequence: Number(tags["EXT-X-MEDIA-SEQUENCE"]),
    discontinuitySequence: Number(tags["EXT-X-DISCONTINUITY-SEQUENCE"]),
    skipped,
    segments,
    open: draft === undefined ? undefined : finish(),
    hints,
    reports,
    ended: tags["EXT-X-ENDLIST"] !== undefined,
  };
}

/**
 * What a client makes of a delta update and the playlist that it had (RFC 8216bis §6.3.7).
 * @returns undefined when the client lacks something that was skipped.
 */
export function applyDelta(before: ReadPlaylist, delta: ReadPlaylist): ReadPlaylist | undefined {
  const kept = before.segments.filter(
    ({ msn }) => msn >= delta.mediaSequence && msn < delta.mediaSequence + delta.skipped,
  );
  if (kept.length !== delta.skipped) return undefined;
  // A skipped segment's parts are gone, and its discontinuities are not in the delta update.
  const skippedDiscontinuities = kept.filter((segment) => segment.discontinuity).length;
  const shift = (segment: ReadSegment) => ({
    ...segment,
    discontinuitySequence: segment.discontinuitySequence + skippedDiscontinuities,
  });
  return {
    ...delta,
    skipped: 0,
    segments: [...kept.map((segment) => ({ ...segment, parts: [] })), ...delta.segments.map(shift)],
    open: delta.open === undefined ? undefined : shift(delta.open),
  };
}

function attribute(list: string, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(list)?.[1];
}
