import { parse, setOptions, types } from "hls-parser";
import { Parser } from "m3u8-parser";
import { expect } from "vitest";
import { readMediaPlaylist } from "./read-media-playlist.ts";

setOptions({ strictMode: true });

/** Other people's parsers must accept a media playlist without a warning, and find in it what its lines say. */
export function checkMediaPlaylist(text: string): void {
  const read = readMediaPlaylist(text);
  const strict = parse(text);
  if (!(strict instanceof types.MediaPlaylist)) throw new Error("hls-parser takes it for a multivariant playlist");
  expect(strict.mediaSequenceBase ?? 0).toBe(read.mediaSequence);
  expect(strict.discontinuitySequenceBase ?? 0).toBe(read.discontinuitySequence);
  expect(strict.endlist).toBe(read.ended);
  expect(strict.skip).toBe(read.skipped);
  const listed = strict.segments.filter((segment) => segment.uri !== undefined && segment.uri !== "");
  expect(listed.map((segment) => [segment.uri, segment.duration, segment.gap ?? false])).toEqual(
    read.segments.map((segment) => [segment.uri, (segment.units as number) / 100_000, segment.gap]),
  );

  const warnings: string[] = [];
  const parser = new Parser();
  parser.on("warn", (warning) => warnings.push(warning.message));
  parser.push(text);
  parser.end();
  expect(warnings).toEqual([]);
  const { manifest } = parser;
  expect(manifest.mediaSequence).toBe(read.mediaSequence);
  expect(manifest.discontinuitySequence).toBe(read.discontinuitySequence);
  expect(manifest.endList ?? false).toBe(read.ended);
  expect(manifest.skip?.skippedSegments ?? 0).toBe(read.skipped);
  expect((manifest.segments ?? []).map(({ uri, duration, map }) => [uri, duration, map?.uri])).toEqual(
    read.segments.map(({ uri, units, map }) => [uri, (units as number) / 100_000, map]),
  );
  const parts = (manifest.segments ?? []).flatMap((segment) => segment.parts ?? []);
  expect([...parts, ...(manifest.preloadSegment?.parts ?? [])].map((part) => part.uri)).toEqual(
    [...read.segments, ...(read.open === undefined ? [] : [read.open])].flatMap(({ parts: own }) =>
      own.map((part) => part.uri),
    ),
  );
  expect((manifest.renditionReports ?? []).length).toBe(read.reports.length);
}
