import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import { fromRbsp } from "../nal/emulation-prevention.ts";
import { MediaLog } from "../testing/media-log.ts";
import { STREAM_TYPE } from "./stream-kind.ts";
import {
  annexB,
  bytes,
  H264_DELIMITER,
  H264_SETS,
  hex,
  lengthPrefixed,
  MadeStream,
  slice,
} from "./testing/material.ts";
import { TsDemuxer } from "./ts-demuxer.ts";

const VIDEO = 0x100;
const { sps, pps } = H264_SETS.small;
const idr = (mark: number, size = 40) => slice("h264", true, new Uint8Array(size).fill(mark));
const inter = (mark: number, size = 40) => slice("h264", false, new Uint8Array(size).fill(mark));
const laterSlice = (mark: number, size = 40) => slice("h264", false, new Uint8Array(size).fill(mark), false);
/** Recovery point SEI, recovery_frame_cnt 0. */
const recoveryPoint = fromRbsp(hex("0606018480"));

const begin = (streamType: number = STREAM_TYPE.H264) => new MadeStream().tables([{ pid: VIDEO, streamType }]);

/** Pushes packet by packet; tells for each access unit after how many packets it came. */
function follow(stream: MadeStream): { units: AccessUnit[]; after: number[]; collector: MediaLog } {
  const collector = new MediaLog();
  const demuxer = new TsDemuxer(collector);
  const after: number[] = [];
  // Three packets are needed to be sure of the boundaries; the first two are tables.
  for (const [index, packet] of stream.packets.entries()) {
    demuxer.push(packet);
    while (after.length < collector.units.length) after.push(index + 1);
  }
  demuxer.flush();
  while (after.length < collector.units.length) after.push(Number.POSITIVE_INFINITY);
  return { units: collector.units, after, collector };
}

const dataOf = (units: readonly AccessUnit[]) => units.map(({ data }) => Buffer.from(data).toString("hex"));
const hexOf = (...nals: Uint8Array[]) => Buffer.from(lengthPrefixed(...nals)).toString("hex");

describe("access units in PES packets", () => {
  test("several in one are told apart, by delimiter or first slice, and spaced by the frame rate", () => {
    const stream = begin()
      .pes({ pid: VIDEO, es: annexB(H264_DELIMITER, sps, pps, idr(1), H264_DELIMITER, inter(2), inter(3)), pts: 9000 })
      .pes({ pid: VIDEO, es: annexB(inter(4), laterSlice(5), inter(6)), pts: 18_000 });
    const { units, collector } = follow(stream);
    expect(units.map(({ dts }) => dts)).toEqual([9000, 12_000, 15_000, 18_000, 21_000]);
    expect(dataOf(units)).toEqual([
      hexOf(idr(1)),
      hexOf(inter(2)),
      hexOf(inter(3)),
      hexOf(inter(4), laterSlice(5)),
      hexOf(inter(6)),
    ]);
    expect(collector.codes).toEqual(["timestamps_missing"]);
  });

  test("one that goes on in the next PES packet, at any byte, is put together", () => {
    const es = annexB(sps, pps, idr(1, 300), laterSlice(2, 300));
    for (let cut = 1; cut < es.length; cut += 7) {
      const stream = begin()
        .pes({ pid: VIDEO, es: es.subarray(0, cut), pts: 0 })
        .pes({ pid: VIDEO, es: es.subarray(cut) })
        .pes({ pid: VIDEO, es: annexB(inter(3)), pts: 3000 });
      const { units, collector } = follow(stream);
      expect(dataOf(units)).toEqual([hexOf(idr(1, 300), laterSlice(2, 300)), hexOf(inter(3))]);
      expect(units.map(({ dts }) => dts)).toEqual([0, 3000]);
      expect(collector.codes).toEqual([]);
    }
  });

  test("one PES packet for each slice", () => {
    const stream = begin().pes({ pid: VIDEO, es: annexB(sps, pps, idr(1)), pts: 0 });
    for (let n = 1; n < 20; n += 1) {
      stream.pes({ pid: VIDEO, es: annexB(inter(n)), pts: n * 3000 });
      stream.pes({ pid: VIDEO, es: annexB(laterSlice(n)), pts: n * 3000 });
    }
    const { units, collector } = follow(stream);
    expect(dataOf(units)).toEqual([
      hexOf(idr(1)),
      ...Array.from({ length: 19 }, (_, n) => hexOf(inter(n + 1), laterSlice(n + 1))),
    ]);
    expect(collector.codes).toEqual([]);
  });

  test("both fields of a frame in one PES packet are one access unit", () => {
    const fields = H264_SETS.fields;
    const stream = begin()
      .pes({ pid: VIDEO, es: annexB(fields.sps, fields.pps, idr(1), inter(2)), pts: 0 })
      .pes({ pid: VIDEO, es: annexB(inter(3), inter(4)), pts: 3000 });
    expect(dataOf(follow(stream).units)).toEqual([hexOf(idr(1), inter(2)), hexOf(inter(3), inter(4))]);
  });

  test("one whose end was taken on trust and that goes on costs up to the next keyframe, and trust for good", () => {
    const stream = begin();
    for (let n = 0; n < 12; n += 1) {
      stream.pes({ pid: VIDEO, es: n === 0 ? annexB(sps, pps, idr(1)) : annexB(inter(n)), pts: n * 3000 });
    }
    stream.pes({ pid: VIDEO, es: annexB(laterSlice(12)) });
    stream.pes({ pid: VIDEO, es: annexB(inter(13)), pts: 39_000 });
    stream.pes({ pid: VIDEO, es: annexB(sps, pps, idr(14)), pts: 42_000 });
    stream.pes({ pid: VIDEO, es: annexB(laterSlice(15)) });
    stream.pes({ pid: VIDEO, es: annexB(inter(16)), pts: 45_000 });
    const { units, collector } = follow(stream);
    expect(units.map(({ dts }) => dts / 3000)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15]);
    expect(dataOf(units).at(-2)).toBe(hexOf(idr(14), laterSlice(15)));
    expect(collector.codes).toEqual(["access_unit_truncated"]);
  });
});

describe("latency", () => {
  /** Pictures of three or four packets each; tells after how many packets each ends. */
  function pictures(count: number, unbounded: boolean): { stream: MadeStream; ends: number[] } {
    const stream = begin();
    const ends: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const es = n === 0 ? annexB(sps, pps, idr(1, 500)) : annexB(inter(n, 500));
      ends.push(stream.pes({ pid: VIDEO, es, pts: n * 3000, unbounded }).packets.length);
    }
    return { stream, ends };
  }

  test("a PES packet with a length is handed on with its last packet, once four began with an access unit", () => {
    const { stream, ends } = pictures(8, false);
    expect(follow(stream).after).toEqual(ends.map((end, n) => (n < 3 ? end + 1 : end)));
  });

  test("one without a length is handed on at stuffing, once eight ended there", () => {
    const { stream, ends } = pictures(14, true);
    expect(follow(stream).after).toEqual(ends.map((end, n) => (n < 8 ? end + 1 : end)));
  });

  test("stuffing that lied costs one access unit and is never believed again", () => {
    const stream = begin();
    const es = (n: number) => (n % 15 === 0 ? annexB(sps, pps, idr(n + 1, 500)) : annexB(inter(n + 1, 500)));
    for (let n = 0; n < 30; n += 1) {
      if (n !== 12) {
        stream.pes({ pid: VIDEO, es: es(n), pts: n * 3000, unbounded: true });
        continue;
      }
      // Ten bytes of stuffing in the middle of a PES packet.
      const before = stream.packets.length;
      stream.pes({ pid: VIDEO, es: bytes(es(n).subarray(0, 160)), pts: n * 3000, unbounded: true });
      const rest = new MadeStream().pes({ pid: VIDEO, es: es(n).subarray(160), streamId: 0xe0 });
      for (const packet of rest.packets) {
        packet[1] = (packet[1] as number) & ~0x40;
        packet[3] =
          ((packet[3] as number) & 0xf0) | ((((stream.packets.at(-1) as Uint8Array)[3] as number) + 1) & 0x0f);
        stream.packets.push(packet);
      }
      expect(stream.packets.length).toBeGreaterThan(before + 1);
      stream.skipCounters(VIDEO, rest.packets.length);
    }
    const { units, after, collector } = follow(stream);
    expect(collector.codes).toEqual(["pes_end_misjudged", "access_unit_truncated"]);
    // The one that lied came out short; then nothing up to the next keyframe.
    expect(units.map(({ dts }) => dts / 3000)).toEqual(
      Array.from({ length: 30 }, (_, n) => n).filter((n) => n < 13 || n >= 15),
    );
    expect(after.at(-1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("keyframes", () => {
  const picture = (n: number, ...nals: Uint8Array[]) => ({ pid: VIDEO, es: annexB(...nals), pts: n * 3000 });
  const keyframes = (stream: MadeStream) =>
    follow(stream)
      .units.filter(({ keyframe }) => keyframe)
      .map(({ dts }) => dts / 3000);

  test("nothing is handed on before the first", () => {
    const stream = begin()
      .pes(picture(0, inter(1)))
      .pes(picture(1, inter(2)))
      .pes(picture(2, sps, pps, idr(3)));
    expect(follow(stream).units.map(({ dts }) => dts)).toEqual([6000]);
  });

  test("are recovery points where there are no IDR pictures", () => {
    const stream = begin();
    for (let n = 0; n < 9; n += 1) {
      if (n % 3 === 0) stream.pes(picture(n, sps, pps, recoveryPoint, inter(n + 1)));
      else stream.pes(picture(n, inter(n + 1)));
    }
    expect(keyframes(stream)).toEqual([0, 3, 6]);
  });

  test("are not recovery points where IDR pictures are in use", () => {
    const stream = begin();
    for (let n = 0; n < 12; n += 1) {
      if (n % 4 === 0) stream.pes(picture(n, sps, pps, idr(n + 1)));
      else if (n % 4 === 2) stream.pes(picture(n, recoveryPoint, inter(n + 1)));
      else stream.pes(picture(n, inter(n + 1)));
    }
    expect(keyframes(stream)).toEqual([0, 2, 4, 8]); // the first before a second IDR picture was seen
  });

  test("a changed SPS is a new track before its access unit", () => {
    const { sps: bigSps, pps: bigPps } = H264_SETS.large;
    const stream = begin()
      .pes(picture(0, sps, pps, idr(1)))
      .pes(picture(1, inter(2)))
      .pes(picture(2, bigSps, bigPps, idr(3)))
      .pes(picture(3, inter(4)));
    const { units, collector } = follow(stream);
    expect(collector.tracks.map((track) => track.kind === "video" && track.width)).toEqual([320, 640]);
    expect(units.map(({ track }) => collector.tracks.indexOf(track))).toEqual([0, 0, 1, 1]);
    expect(dataOf(units)[2]).toBe(hexOf(idr(3)));
  });

  test("pictures before a recovery point in output are dropped where decoding begins there", () => {
    const stream = begin()
      .pes({ pid: VIDEO, es: annexB(sps, pps, recoveryPoint, inter(1)), pts: 9000, dts: 0 })
      .pes({ pid: VIDEO, es: annexB(inter(2)), pts: 6000, dts: 3000 })
      .pes({ pid: VIDEO, es: annexB(inter(3)), pts: 12_000, dts: 6000 });
    expect(follow(stream).units.map(({ pts }) => pts)).toEqual([9000, 12_000]);
  });
});
