import { KliegError } from "@klieg/protocol";

/** Longer descriptions are refused before they are looked at. Browsers' offers have 5 to 20 KiB. */
export const MAX_SDP_BYTES = 64 * 1024;
const MAX_LINES = 2000;
/** The longest that occur are `fmtp` lines with parameter sets in base64. */
const MAX_LINE_LENGTH = 4096;
const MAX_MEDIA_SECTIONS = 16;
const MAX_CANDIDATES = 200;
const MAX_CODECS_PER_SECTION = 128;
const MAX_SSRC_LINES = 200;
const MAX_RIDS = 16;

/** Every other attribute means nothing here and is passed over. */
const ATTRIBUTES = new Set([
  "bundle-only",
  "candidate",
  "end-of-candidates",
  "extmap",
  "extmap-allow-mixed",
  "fingerprint",
  "fmtp",
  "group",
  "ice-lite",
  "ice-options",
  "ice-pwd",
  "ice-ufrag",
  "inactive",
  "mid",
  "msid",
  "recvonly",
  "rid",
  "rtcp-fb",
  "rtcp-mux",
  "rtcp-rsize",
  "rtpmap",
  "sendonly",
  "sendrecv",
  "setup",
  "simulcast",
  "ssrc",
  "ssrc-group",
]);

/** How often a line may occur in one section (the session counts as one). */
const LIMITS: Readonly<Record<string, number>> = {
  candidate: MAX_CANDIDATES,
  extmap: 64,
  fingerprint: 8,
  fmtp: MAX_CODECS_PER_SECTION,
  group: 4,
  rid: MAX_RIDS,
  "rtcp-fb": 8 * MAX_CODECS_PER_SECTION,
  rtpmap: MAX_CODECS_PER_SECTION,
  simulcast: 2,
  ssrc: MAX_SSRC_LINES,
  "ssrc-group": MAX_SSRC_LINES,
};
const OTHER_LIMIT = 4;

/** The lines of one section that mean something here. */
export class SdpSection {
  /** Whole lines, in order. */
  readonly lines: string[] = [];
  readonly #attributes = new Map<string, string[]>();

  /** @throws {KliegError} `sdp_invalid` where there are too many of its kind. */
  addAttribute(name: string, line: string): void {
    let values = this.#attributes.get(name);
    if (values === undefined) {
      values = [];
      this.#attributes.set(name, values);
    }
    if (values.length >= (LIMITS[name] ?? OTHER_LIMIT)) throw invalid(`it has too many a=${name} lines`);
    values.push(
      line
        .slice("a=".length + name.length)
        .replace(/^:/, "")
        .trim(),
    );
    this.lines.push(line);
  }

  /** What stands after `NAME:` in the attribute's first line; undefined where there is none. */
  attribute(name: string): string | undefined {
    return this.#attributes.get(name)?.[0];
  }

  attributes(name: string): readonly string[] {
    return this.#attributes.get(name) ?? [];
  }
}

export interface SdpSections {
  readonly session: SdpSection;
  readonly media: readonly SdpSection[];
}

/**
 * Reads a session description (RFC 8866 § 5) with CRLF or LF, within bounds: what is left are lines that mean something
 * here, in a number that no parser chokes on.
 * @throws {KliegError} `payload_too_large`, `sdp_invalid`.
 */
export function readSdp(text: string): SdpSections {
  return readSections(text, true);
}

/**
 * Reads a fragment (RFC 8840 § 9): the same lines without those that a session begins with.
 * @throws {KliegError} `payload_too_large`, `sdp_invalid`.
 */
export function readSdpFragment(text: string): SdpSections {
  return readSections(text, false);
}

function readSections(text: string, isWhole: boolean): SdpSections {
  if (text.length > MAX_SDP_BYTES) {
    throw new KliegError("payload_too_large", `A session description has at most ${MAX_SDP_BYTES / 1024} KiB.`);
  }
  const session = new SdpSection();
  const media: SdpSection[] = [];
  let section = session;
  let count = 0;
  for (const line of linesOf(text)) {
    count += 1;
    if (count > MAX_LINES) throw invalid(`it has more than ${MAX_LINES} lines`);
    if (line.length > MAX_LINE_LENGTH) throw invalid(`line ${count} is longer than ${MAX_LINE_LENGTH} characters`);
    if (!/^[a-z]=[\t\x20-\x7e\x80-\uffff]*$/.test(line)) throw invalid(`line ${count} is not of the form type=value`);
    if (count === 1 && isWhole && line.trimEnd() !== "v=0") throw invalid("it does not begin with v=0");
    if (line.startsWith("a=")) {
      const name = /^a=([A-Za-z0-9-]+)/.exec(line)?.[1] ?? "";
      if (ATTRIBUTES.has(name)) section.addAttribute(name, line);
      continue;
    }
    if (line.startsWith("m=")) {
      if (media.length === MAX_MEDIA_SECTIONS) throw invalid(`it has more than ${MAX_MEDIA_SECTIONS} media sections`);
      section = new SdpSection();
      media.push(section);
    }
    section.lines.push(line);
  }
  if (count === 0) throw invalid("it is empty");
  return { session, media };
}

/** @param what ends the sentence "The session description cannot be taken: …". */
export function invalid(what: string): KliegError {
  return new KliegError("sdp_invalid", `The session description cannot be taken: ${what}.`);
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const line = text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
    if (line !== "") yield line;
    if (end === -1) return;
    start = end + 1;
  }
}
