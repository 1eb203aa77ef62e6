import { MediaError } from "../media-error.ts";
import { crc32Mpeg } from "./crc32.ts";

const TABLE_ID_PAT = 0x00;
const TABLE_ID_PMT = 0x02;
const SECTION_HEADER_SIZE = 8;
const CRC_SIZE = 4;

/** One section of the program association table, ISO/IEC 13818-1 2.4.4.3. */
export interface PatSection {
  /** current_next_indicator: applies now, not later. */
  readonly current: boolean;
  readonly sectionNumber: number;
  readonly lastSectionNumber: number;
  /** Without the network PID (program number 0). */
  readonly programs: readonly { readonly programNumber: number; readonly pmtPid: number }[];
}

/** A program map table, ISO/IEC 13818-1 2.4.4.8. */
export interface ProgramMap {
  readonly current: boolean;
  readonly version: number;
  readonly programNumber: number;
  readonly pcrPid: number;
  readonly streams: readonly ElementaryStreamInfo[];
}

/** One elementary stream as its program map announces it. */
export interface ElementaryStreamInfo {
  readonly pid: number;
  /** stream_type, ISO/IEC 13818-1 table 2-34. */
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
}

export interface Descriptor {
  readonly tag: number;
  readonly data: Uint8Array;
}

/**
 * @param section a whole section with its CRC.
 * @returns undefined for another table than a PAT.
 * @throws MediaError also when the CRC is wrong.
 */
export function parsePat(section: Uint8Array): PatSection | undefined {
  if (section[0] !== TABLE_ID_PAT) return undefined;
  const end = checkSection(section);
  const programs: { programNumber: number; pmtPid: number }[] = [];
  for (let at = SECTION_HEADER_SIZE; at + 4 <= end; at += 4) {
    const programNumber = u16(section, at);
    if (programNumber !== 0) programs.push({ programNumber, pmtPid: u16(section, at + 2) & 0x1fff });
  }
  return {
    current: ((section[5] as number) & 1) === 1,
    sectionNumber: section[6] as number,
    lastSectionNumber: section[7] as number,
    programs,
  };
}

/**
 * @param section a whole section with its CRC.
 * @returns undefined for another table than a PMT. Descriptors are copies.
 * @throws MediaError also when the CRC is wrong.
 */
export function parsePmt(section: Uint8Array): ProgramMap | undefined {
  if (section[0] !== TABLE_ID_PMT) return undefined;
  const end = checkSection(section);
  if (end < SECTION_HEADER_SIZE + 4) throw new MediaError("truncated", "PMT shorter than its fixed fields");
  const streams: ElementaryStreamInfo[] = [];
  let at = 12 + (u16(section, 10) & 0x0fff);
  while (at + 5 <= end) {
    const infoEnd = at + 5 + (u16(section, at + 3) & 0x0fff);
    if (infoEnd > end) throw new MediaError("malformed", "descriptors longer than their PMT");
    streams.push({
      streamType: section[at] as number,
      pid: u16(section, at + 1) & 0x1fff,
      descriptors: parseDescriptors(section, at + 5, infoEnd),
    });
    at = infoEnd;
  }
  return {
    current: ((section[5] as number) & 1) === 1,
    version: ((section[5] as number) >> 1) & 0x1f,
    programNumber: u16(section, 3),
    pcrPid: u16(section, 8) & 0x1fff,
    streams,
  };
}

/** Builds a PAT with one program. */
export function buildPat(
  transportStreamId: number,
  version: number,
  programNumber: number,
  pmtPid: number,
): Uint8Array {
  const body = [programNumber >> 8, programNumber & 0xff, 0xe0 | (pmtPid >> 8), pmtPid & 0xff];
  return buildSection(TABLE_ID_PAT, transportStreamId, version, body);
}

/**
 * Builds a PMT.
 * @throws MediaError when it would not fit a section.
 */
export function buildPmt(map: Omit<ProgramMap, "current">): Uint8Array {
  const body = [0xe0 | (map.pcrPid >> 8), map.pcrPid & 0xff, 0xf0, 0x00];
  for (const stream of map.streams) {
    const info = stream.descriptors.flatMap(({ tag, data }) => [tag, data.length, ...data]);
    body.push(
      stream.streamType,
      0xe0 | (stream.pid >> 8),
      stream.pid & 0xff,
      0xf0 | (info.length >> 8),
      info.length & 0xff,
    );
    body.push(...info);
  }
  return buildSection(TABLE_ID_PMT, map.programNumber, map.version, body);
}

function buildSection(tableId: number, extension: number, version: number, body: readonly number[]): Uint8Array {
  const length = SECTION_HEADER_SIZE - 3 + body.length + CRC_SIZE;
  if (length > 1021) throw new MediaError("unsupported", "program map longer than a section");
  const section = new Uint8Array(3 + length);
  section.set([
    tableId,
    0xb0 | (length >> 8),
    length & 0xff,
    extension >> 8,
    extension & 0xff,
    0xc1 | (version << 1),
    0,
    0,
  ]);
  section.set(body, SECTION_HEADER_SIZE);
  const crcAt = section.length - CRC_SIZE;
  const crc = crc32Mpeg(section, 0, crcAt);
  section.set([crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff], crcAt);
  return section;
}

/** Answers where the CRC begins. */
function checkSection(section: Uint8Array): number {
  if (section.length < SECTION_HEADER_SIZE + CRC_SIZE) throw new MediaError("truncated", "section without a header");
  if (((section[1] as number) & 0x80) === 0) throw new MediaError("malformed", "section without section syntax");
  if (crc32Mpeg(section) !== 0) throw new MediaError("malformed", "CRC of a section does not match");
  return section.length - CRC_SIZE;
}

function parseDescriptors(section: Uint8Array, start: number, end: number): Descriptor[] {
  const descriptors: Descriptor[] = [];
  let at = start;
  while (at + 2 <= end) {
    const next = at + 2 + (section[at + 1] as number);
    if (next > end) break; // a descriptor that lies about its length takes only itself down
    descriptors.push({ tag: section[at] as number, data: section.slice(at + 2, next) });
    at = next;
  }
  return descriptors;
}

function u16(data: Uint8Array, at: number): number {
  return ((data[at] as number) << 8) | (data[at + 1] as number);
}
