import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AudioTrack } from "../access-unit.ts";
import { AdtsPesFramer } from "./adts-pes-framer.ts";
import type { AudioFrame, AudioFramer } from "./audio-framer.ts";
import { LatmPesFramer } from "./latm-pes-framer.ts";
import { Mp3PesFramer } from "./mp3-pes-framer.ts";
import { OpusPesFramer, opusControlHeaderBytes, writeOpusControlHeader } from "./opus-pes-framer.ts";
import { adtsFrame, bytes, hex, latmElement, mp3Frame, opusPacket } from "./testing/material.ts";

function run(framer: AudioFramer, pieces: readonly Uint8Array[]) {
  const frames: AudioFrame[] = [];
  const tracks: AudioTrack[] = [];
  const troubles: string[] = [];
  for (const piece of pieces) {
    framer.push(
      piece,
      (frame, track) => {
        frames.push(frame);
        if (tracks.at(-1) !== track) tracks.push(track);
      },
      (message) => troubles.push(message),
    );
  }
  return { data: frames.map((frame) => frame.data), frames, tracks, troubles };
}

function cut(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < stream.length; i += 1) {
    const count = cuts[i % cuts.length] as number;
    pieces.push(stream.slice(at, at + count));
    at += count;
  }
  return pieces;
}

const cutting = fc.array(fc.integer({ min: 1, max: 800 }), { minLength: 1, maxLength: 10 });
const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 600 }), { minLength: 1, maxLength: 12 });

function opusStream(packets: readonly Uint8Array[], startTrim = 0): Uint8Array {
  return bytes(
    ...packets.map((packet, index) => {
      const trim = index === 0 ? startTrim : 0;
      const out = new Uint8Array(opusControlHeaderBytes(packet.length, trim) + packet.length);
      out.set(packet, writeOpusControlHeader(out, 0, packet.length, trim));
      return out;
    }),
  );
}

describe("audio frames come whole whatever the pieces", () => {
  test("AAC in LATM, with several frames in an element and configurations left out (ING2)", () => {
    fc.assert(
      fc.property(bodies, bodies, cutting, (first, second, cuts) => {
        const same = second.slice(0, first.length);
        const elements = [latmElement(first)];
        if (same.length === first.length) elements.push(latmElement(same, true));
        const { data, tracks, troubles, frames } = run(new LatmPesFramer(0), cut(bytes(...elements), cuts));
        expect(data).toEqual(elements.length === 2 ? [...first, ...same] : first);
        expect(troubles).toEqual([]);
        expect(tracks).toMatchObject([{ codec: "aac", codecString: "mp4a.40.2", sampleRate: 48_000, channels: 1 }]);
        expect(frames.every(({ samples, sampleRate }) => samples === 1024 && sampleRate === 48_000)).toBe(true);
      }),
    );
  });

  test("Opus behind control headers, of any size, with the pre-skip of the first (ING2)", () => {
    fc.assert(
      fc.property(bodies, cutting, fc.integer({ min: 0, max: 8191 }), (all, cuts, trim) => {
        const packets = all.map((body) => opusPacket(body));
        const { data, tracks, troubles } = run(new OpusPesFramer(0, 2), cut(opusStream(packets, trim), cuts));
        expect(data).toEqual(packets);
        expect(troubles).toEqual([]);
        expect(new DataView((tracks[0] as AudioTrack).config.buffer).getUint16(2)).toBe(trim);
      }),
    );
  });

  test("AAC in ADTS and MP3", () => {
    fc.assert(
      fc.property(bodies, cutting, (all, cuts) => {
        const aac = run(new AdtsPesFramer(0), cut(bytes(...all.map((body) => adtsFrame(body))), cuts));
        expect(aac.data).toEqual(all);
        const frames = all.map((body) => mp3Frame(body.fill(1)));
        const mp3 = run(new Mp3PesFramer(0), cut(bytes(...frames), cuts));
        expect(mp3.data).toEqual(frames);
        expect([...aac.troubles, ...mp3.troubles]).toEqual([]);
      }),
    );
  });
});

describe("trouble in audio", () => {
  test("a changed ADTS configuration is a new track", () => {
    const stream = bytes(adtsFrame(hex("01")), adtsFrame(hex("02")), adtsFrame(hex("03"), 44_100));
    expect(run(new AdtsPesFramer(3), [stream]).tracks.map(({ id, sampleRate }) => [id, sampleRate])).toEqual([
      [3, 48_000],
      [3, 44_100],
    ]);
  });

  test("bytes between frames are passed over and told", () => {
    const noise = new Uint8Array(33).fill(0x11);
    const mp3 = run(new Mp3PesFramer(0), [bytes(noise, mp3Frame(hex("01")), mp3Frame(hex("02")))]);
    expect(mp3.data.length).toBe(2);
    expect(mp3.troubles).toEqual(["33 bytes between MPEG audio frames"]);
    const opus = run(new OpusPesFramer(0, 2), [bytes(noise, opusStream([opusPacket(hex("0102"))]))]);
    expect(opus.data.length).toBe(1);
    const latm = run(new LatmPesFramer(0), [bytes(noise, latmElement([hex("0102")]))]);
    expect(latm.data).toEqual([hex("0102")]);
  });

  test("LATM before its first configuration, or of a kind not read, gives nothing", () => {
    expect(run(new LatmPesFramer(0), [latmElement([hex("01")], true)]).data).toEqual([]);
    const severalLayers = bytes(hex("56e0042002"), hex("118800"));
    const { data, troubles } = run(new LatmPesFramer(0), [severalLayers]);
    expect(data).toEqual([]);
    expect(troubles.length).toBe(1);
  });

  test("MPEG audio of layer II is told once", () => {
    const layer2 = mp3Frame(hex("01"));
    layer2[1] = 0xfd;
    layer2[2] = 0x84; // 128 kbit/s, 48 kHz: 384 bytes
    const { data, troubles } = run(new Mp3PesFramer(0), [bytes(layer2, layer2, layer2)]);
    expect(data).toEqual([]);
    expect(troubles).toEqual(["MPEG audio layer 2 is not supported"]);
  });
});
