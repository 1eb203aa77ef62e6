import { describe, expect, test } from "vitest";
import { LiveMediaPlaylist, partTargetTicks } from "./live-media-playlist.ts";
import type { LiveMediaPlaylistOptions } from "./live-media-playlist-options.ts";
import { PlaylistError, type PlaylistErrorCode } from "./playlist-error.ts";
import { checkMediaPlaylist } from "./testing/check-with-parsers.ts";
import { readMediaPlaylist } from "./testing/read-media-playlist.ts";

const EPOCH = Date.UTC(2026, 4, 1, 12);

function newPlaylist(options: Partial<LiveMediaPlaylistOptions> = {}): LiveMediaPlaylist {
  return new LiveMediaPlaylist({
    targetDuration: 4,
    partTarget: 0.334,
    windowTicks: 60 * 90_000,
    segmentUri: (msn) => `s${msn}.m4s`,
    partUri: (serial) => `p${serial}.m4s`,
    ...options,
  });
}

/** A 2 s segment of six parts; left open with `parts` of them if that is given. */
function addSegment(playlist: LiveMediaPlaylist, parts?: number): void {
  playlist.startSegment({ programDateTimeMs: EPOCH, mapUri: "init.mp4" });
  for (let i = 0; i < (parts ?? 6); i += 1) playlist.appendPart({ durationTicks: 30_000, independent: i === 0 });
  if (parts === undefined) playlist.sealSegment();
}

function codeOf(run: () => void): PlaylistErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof PlaylistError) return error.code;
    throw error;
  }
}

describe("PKG1 live media playlist", () => {
  test("a short life, line by line", () => {
    const playlist = newPlaylist({
      holdBack: 12,
      independentSegments: true,
      reports: () => [
        { uri: "../audio/live.m3u8", lastMsn: 1, lastPart: 0 },
        { uri: "../late/live.m3u8", lastMsn: -1 },
      ],
    });
    playlist.startSegment({ programDateTimeMs: EPOCH, mapUri: "init0.mp4" });
    for (const ticks of [30_000, 30_000, 20_001]) {
      playlist.appendPart({ durationTicks: ticks, independent: ticks === 30_000 });
    }
    playlist.sealSegment();
    playlist.startSegment({ programDateTimeMs: EPOCH + 888.9, mapUri: "init1.mp4", discontinuity: true });
    playlist.appendPart({ durationTicks: 27_000, independent: true });
    expect(playlist.render().toString()).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.002,CAN-SKIP-UNTIL=24.0,HOLD-BACK=12.0
#EXT-X-PART-INF:PART-TARGET=0.334
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00.000Z
#EXT-X-PART:DURATION=0.33333,URI="p0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33334,URI="p1.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.22223,URI="p2.m4s"
#EXTINF:0.88890,
s0.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00.889Z
#EXT-X-PART:DURATION=0.30000,URI="p3.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p4.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/live.m3u8",LAST-MSN=1,LAST-PART=0
`);
    expect([playlist.lastMsn, playlist.lastPart]).toEqual([1, 0]);
    playlist.end();
    playlist.end();
    const ended = playlist.render().toString();
    expect(ended.endsWith("#EXTINF:0.30000,\ns1.m4s\n#EXT-X-ENDLIST\n")).toBe(true);
    checkMediaPlaylist(ended);
  });

  test("rule 9, 14: the map stays when its segment rolls out, and the origin hears of each removal", () => {
    const removed: unknown[] = [];
    const playlist = newPlaylist({ windowTicks: 12 * 90_000, onRemoved: (segment) => removed.push(segment) });
    for (let i = 0; i < 9; i += 1) {
      const discontinuity = i === 2;
      playlist.startSegment({ programDateTimeMs: EPOCH, mapUri: i < 2 ? "a.mp4" : "b.mp4", discontinuity });
      for (let part = 0; part < 6; part += 1) playlist.appendPart({ durationTicks: 30_000, independent: true });
      playlist.sealSegment();
      if (i === 7) {
        // The discontinuity itself is the first segment: its own lines say so.
        expect(readMediaPlaylist(playlist.render().toString())).toMatchObject({
          mediaSequence: 2,
          discontinuitySequence: 0,
          segments: { 0: { map: "b.mp4", discontinuity: true, discontinuitySequence: 1 } },
        });
      }
    }
    const text = playlist.render().toString();
    expect(text.match(/EXT-X-MAP/g)).toHaveLength(1);
    expect(readMediaPlaylist(text)).toMatchObject({
      mediaSequence: 3,
      discontinuitySequence: 1,
      segments: { 0: { msn: 3, map: "b.mp4", discontinuity: false, discontinuitySequence: 1 } },
    });
    expect(removed[2]).toEqual({ msn: 2, durationTicks: 180_000, firstPartSerial: 12, partCount: 6, gap: false });
  });

  test("rule 7: no fewer than three target durations are left, whatever the window", () => {
    const playlist = newPlaylist({ windowTicks: 1, maxSegments: 1 });
    for (let i = 0; i < 20; i += 1) addSegment(playlist);
    expect(playlist.segmentCount).toBe(6);
    expect(playlist.mediaSequence).toBe(14);
  });

  test("rules 4 to 6: what must not be seen goes whatever is left, what is still to be sealed as well", () => {
    const removed: number[] = [];
    const playlist = newPlaylist({ onRemoved: ({ msn }) => removed.push(msn) });
    for (let i = 0; i < 6; i += 1) addSegment(playlist);
    addSegment(playlist, 2);
    playlist.dropThrough(6);
    expect(removed).toEqual([0, 1, 2, 3, 4, 5]);
    playlist.sealSegment();
    expect(removed).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(playlist.mediaSequence).toBe(7);
    for (let i = 0; i < 8; i += 1) addSegment(playlist);
    addSegment(playlist, 1);
    const text = playlist.render().toString();
    const read = readMediaPlaylist(text);
    checkMediaPlaylist(text);
    expect([read.mediaSequence, read.segments.length]).toEqual([7, 8]);
    expect(removed).toHaveLength(7);
  });

  test("maxSegments removes what the window would keep", () => {
    const playlist = newPlaylist({ windowTicks: 3600 * 90_000, maxSegments: 10 });
    for (let i = 0; i < 20; i += 1) addSegment(playlist);
    expect(playlist.segmentCount).toBe(10);
  });

  test("rule 15: a gap segment says so on itself and on its parts", () => {
    const playlist = newPlaylist();
    addSegment(playlist);
    expect(playlist.appendGapSegment({ programDateTimeMs: EPOCH }, 100_000)).toBe(1);
    const [, gap] = readMediaPlaylist(playlist.render().toString()).segments;
    expect(gap).toMatchObject({ gap: true, units: 111_111 });
    expect(gap?.parts.map(({ gap: isGap, units }) => [isGap, units])).toEqual([
      [true, 33_400],
      [true, 33_400],
      [true, 33_400],
      [true, 10_911],
    ]);
    checkMediaPlaylist(playlist.render().toString());
  });

  test("rule 16: the promise of independent segments ends with the first that is not", () => {
    const playlist = newPlaylist({ independentSegments: true });
    addSegment(playlist);
    expect(playlist.render().toString()).toContain("#EXT-X-INDEPENDENT-SEGMENTS");
    playlist.startSegment({ programDateTimeMs: EPOCH, independent: false });
    playlist.appendPart({ durationTicks: 30_000, independent: false });
    expect(playlist.render().toString()).not.toContain("#EXT-X-INDEPENDENT-SEGMENTS");
  });

  test("rule 21: a report that changed is seen although the playlist did not", () => {
    let lastPart = 0;
    const playlist = newPlaylist({ reports: () => [{ uri: "a.m3u8", lastMsn: 0, lastPart }] });
    addSegment(playlist, 2);
    const before = playlist.render();
    expect(playlist.render()).toBe(before);
    lastPart = 1;
    expect(playlist.render().toString()).toContain("LAST-PART=1");
  });

  test("rule 12: a segment may be longer than its parts say, never shorter, never too long", () => {
    const playlist = newPlaylist();
    addSegment(playlist, 6);
    expect(codeOf(() => playlist.sealSegment(4.5 * 90_000))).toBe("segment_too_long");
    playlist.sealSegment(190_000);
    addSegment(playlist, 6);
    playlist.sealSegment(90_000);
    const { segments } = readMediaPlaylist(playlist.render().toString());
    expect(segments.map(({ units }) => units)).toEqual([211_111, 200_000]);
    expect(segments[0]?.parts.reduce((sum, part) => sum + part.units, 0)).toBe(200_000);
    expect(segments[1]?.parts.reduce((sum, part) => sum + part.units, 0)).toBe(200_000);
    checkMediaPlaylist(playlist.render().toString());
  });

  test("a segment without a part is taken back", () => {
    const playlist = newPlaylist();
    addSegment(playlist);
    const { version } = playlist;
    expect(playlist.startSegment({ programDateTimeMs: EPOCH, discontinuity: true })).toBe(1);
    expect(playlist.version).toBe(version);
    expect(playlist.render().toString()).not.toContain("DISCONTINUITY\n");
    expect(playlist.sealSegment()).toBeUndefined();
    expect(playlist.startSegment({ programDateTimeMs: EPOCH })).toBe(1);
  });

  test("an owner's mistakes are told by code", () => {
    expect(codeOf(() => newPlaylist({ targetDuration: 3.5 }))).toBe("bad_option");
    expect(codeOf(() => newPlaylist({ partTarget: 0.3333333 }))).toBe("bad_option");
    expect(codeOf(() => newPlaylist({ partHoldBack: 0.9 }))).toBe("bad_option");
    expect(codeOf(() => newPlaylist({ holdBack: 11 }))).toBe("bad_option");
    expect(codeOf(() => newPlaylist({ skipBoundary: 23 }))).toBe("bad_option");
    const playlist = newPlaylist();
    expect(codeOf(() => playlist.sealSegment())).toBe("no_open_segment");
    expect(codeOf(() => playlist.appendPart({ durationTicks: 1, independent: true }))).toBe("no_open_segment");
    expect(codeOf(() => playlist.startSegment({ programDateTimeMs: EPOCH }))).toBe("no_map");
    expect(codeOf(() => playlist.startSegment({ programDateTimeMs: EPOCH, mapUri: 'a"b' }))).toBe("bad_text");
    playlist.startSegment({ programDateTimeMs: EPOCH, mapUri: "init.mp4" });
    expect(codeOf(() => playlist.startSegment({ programDateTimeMs: EPOCH }))).toBe("segment_open");
    expect(codeOf(() => playlist.appendPart({ durationTicks: 30_061, independent: true }))).toBe("part_too_long");
    expect(codeOf(() => playlist.appendPart({ durationTicks: 0, independent: true }))).toBe("part_too_long");
    for (let i = 0; i < 13; i += 1) playlist.appendPart({ durationTicks: 30_060, independent: true });
    expect(codeOf(() => playlist.appendPart({ durationTicks: 30_060, independent: true }))).toBe("segment_too_long");
    playlist.end();
    expect(codeOf(() => playlist.startSegment({ programDateTimeMs: EPOCH }))).toBe("ended");
  });

  test("rule 11: the part target in ticks is not rounded up", () => {
    expect(partTargetTicks(0.333)).toBe(29_970);
    expect(partTargetTicks(0.33333)).toBe(29_999);
    expect(partTargetTicks(0.334)).toBe(30_060);
    expect(partTargetTicks(1)).toBe(90_000);
  });
});

describe("PKG1 blocking reload", () => {
  /** Segments 0 to 9 are whole, 10 has two parts. */
  function atTen(): LiveMediaPlaylist {
    const playlist = newPlaylist();
    for (let i = 0; i < 10; i += 1) addSegment(playlist);
    addSegment(playlist, 2);
    return playlist;
  }

  test("rule 23: a part without a segment is bad", () => {
    expect(atTen().resolve({ part: 0 })).toEqual({ kind: "bad" });
    expect(atTen().resolve({})).toEqual({ kind: "ready" });
  });

  test("rule 24: a segment alone waits until it is whole", () => {
    expect(atTen().resolve({ msn: 9 })).toEqual({ kind: "ready" });
    expect(atTen().resolve({ msn: 10 })).toEqual({ kind: "wait", msn: 10, part: undefined, deadlineMs: 12_000 });
    expect(atTen().resolve({ msn: 11 })).toMatchObject({ kind: "wait", msn: 11 });
  });

  test("rule 25: a part waits until it is there", () => {
    expect(atTen().resolve({ msn: 10, part: 1 })).toEqual({ kind: "ready" });
    expect(atTen().resolve({ msn: 10, part: 2 })).toMatchObject({ kind: "wait", msn: 10, part: 2 });
    expect(atTen().resolve({ msn: 11, part: 0 })).toMatchObject({ kind: "wait", msn: 11, part: 0 });
    expect(atTen().resolve({ msn: 0, part: 99 })).toEqual({ kind: "ready" });
  });

  test("rule 26: a part past the last stands for the first of the next segment", () => {
    const playlist = atTen();
    expect(playlist.resolve({ msn: 9, part: 6 })).toEqual({ kind: "ready" });
    // A client waits for a seventh part of segment 10; the segment ends with six.
    const waiting = playlist.resolve({ msn: 10, part: 6 });
    expect(waiting).toMatchObject({ kind: "wait", msn: 10, part: 6 });
    for (let i = 0; i < 4; i += 1) playlist.appendPart({ durationTicks: 30_000, independent: false });
    playlist.sealSegment();
    expect(playlist.contains(10, 6)).toBe(false);
    expect(playlist.resolve({ msn: 10, part: 6 })).toMatchObject({ kind: "wait", msn: 11, part: 0 });
    playlist.startSegment({ programDateTimeMs: EPOCH });
    expect(playlist.contains(10, 6)).toBe(false);
    playlist.appendPart({ durationTicks: 30_000, independent: true });
    expect(playlist.contains(10, 6)).toBe(true);
  });

  test("rule 27: a segment more than two past the last whole one is too far", () => {
    expect(atTen().resolve({ msn: 11 }).kind).toBe("wait");
    expect(atTen().resolve({ msn: 12 }).kind).toBe("too_far");
    expect(atTen().resolve({ msn: Number.MAX_SAFE_INTEGER }).kind).toBe("too_far");
    // Nothing is there yet: the first two can be waited for.
    expect(newPlaylist().resolve({ msn: 0, part: 0 }).kind).toBe("wait");
    expect(newPlaylist().resolve({ msn: 1 }).kind).toBe("wait");
    expect(newPlaylist().resolve({ msn: 2 }).kind).toBe("too_far");
  });

  test("rule 28: a part three seconds ahead is as far as a client can ask", () => {
    // 3 / 0.334 is 8.98: the last part is 1, so 9 is the last that may be asked for.
    expect(atTen().resolve({ msn: 10, part: 9 }).kind).toBe("wait");
    expect(atTen().resolve({ msn: 10, part: 10 }).kind).toBe("too_far");
    expect(atTen().resolve({ msn: 11, part: 8 }).kind).toBe("too_far");
    const slow = newPlaylist({ partTarget: 1 });
    slow.startSegment({ programDateTimeMs: EPOCH, mapUri: "init.mp4" });
    slow.appendPart({ durationTicks: 90_000, independent: true });
    expect(slow.resolve({ msn: 0, part: 3 }).kind).toBe("wait");
    expect(slow.resolve({ msn: 0, part: 4 }).kind).toBe("too_far");
  });

  test("rule 22: numbers that cannot be", () => {
    for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(atTen().resolve({ msn: bad })).toEqual({ kind: "bad" });
      expect(atTen().resolve({ msn: 10, part: bad })).toEqual({ kind: "bad" });
    }
  });

  test("rule 29: after the end everything is answered at once", () => {
    const playlist = atTen();
    playlist.end();
    expect(playlist.resolve({ msn: 99, part: 99 })).toEqual({ kind: "ready" });
    expect(playlist.resolve({ part: 1 })).toEqual({ kind: "ready" });
    expect(playlist.contains(99, 99)).toBe(true);
  });
});

describe("PKG1 delta updates", () => {
  test("rule 31: exactly what lies beyond the skip boundary is skipped, and nothing when that is nothing", () => {
    const playlist = newPlaylist({ windowTicks: 300 * 90_000 });
    for (let i = 0; i < 13; i += 1) addSegment(playlist);
    // Twelve segments are 24 s: the thirteenth from the end is not further than that, for it ends there.
    expect(playlist.render({ skip: true })).toBe(playlist.render());
    addSegment(playlist);
    expect(readMediaPlaylist(playlist.render({ skip: true }).toString()).skipped).toBe(1);
    addSegment(playlist, 3);
    expect(readMediaPlaylist(playlist.render({ skip: true }).toString()).skipped).toBe(1);
  });

  test("rule 34: none after the end, none where they are not offered", () => {
    const playlist = newPlaylist({ windowTicks: 300 * 90_000 });
    for (let i = 0; i < 30; i += 1) addSegment(playlist);
    playlist.end();
    expect(playlist.render({ skip: true }).toString()).not.toContain("SKIP:");
    const plain = newPlaylist({ windowTicks: 300 * 90_000, canSkip: false });
    for (let i = 0; i < 30; i += 1) addSegment(plain);
    expect(plain.render({ skip: true }).toString()).not.toContain("SKIP");
  });

  test("PKG3: with a window of two hours a new part costs a copy of the bytes, not a walk over the segments", () => {
    const playlist = newPlaylist({ windowTicks: 7200 * 90_000 });
    for (let i = 0; i < 3700; i += 1) addSegment(playlist);
    expect(playlist.segmentCount).toBe(3600);
    playlist.startSegment({ programDateTimeMs: EPOCH });
    let bytes = 0;
    const began = performance.now();
    for (let i = 0; i < 12; i += 1) {
      playlist.appendPart({ durationTicks: 30_000, independent: false });
      bytes += playlist.render().length + playlist.render({ skip: true }).length;
    }
    const perVersion = (performance.now() - began) / 12;
    expect(bytes).toBeGreaterThan(12 * 250_000);
    // Generous to a busy machine: it is a copy of a third of a megabyte.
    expect(perVersion).toBeLessThan(10);
    expect(playlist.render({ skip: true }).length).toBeLessThan(4000);
  });
});
