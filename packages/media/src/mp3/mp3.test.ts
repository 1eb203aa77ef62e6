import { expect, test } from "vitest";
import { ffmpegSample, ffprobe } from "../testing/ffmpeg-sample.ts";
import { mp3Track, parseMp3Header } from "./mp3-header.ts";

for (const [name, codec, rate, layout, version, samples, codecString] of [
  ["MPEG-1 layer III stereo", "libmp3lame -b:a 192k", 44100, "stereo", 1, 1152, "mp4a.6B"],
  ["MPEG-1 layer III variable", "libmp3lame -q:a 3", 48000, "stereo", 1, 1152, "mp4a.6B"],
  ["MPEG-2 layer III mono", "libmp3lame", 22050, "mono", 2, 576, "mp4a.69"],
  ["MPEG-2.5 layer III mono", "libmp3lame", 8000, "mono", 2.5, 576, "mp4a.69"],
  ["MPEG-1 layer II", "mp2", 32000, "stereo", 1, 1152, "mp4a.6B"],
] as const) {
  test(`${name}: frames are where ffprobe finds them`, () => {
    const args = `-f lavfi -i sine=r=${rate}:d=0.5 -af aformat=channel_layouts=${layout} -c:a ${codec}`;
    const file = ffmpegSample(
      codec === "mp2" ? "mp2" : "mp3",
      `${args} -write_xing 0 -id3v2_version 0`.replace(codec === "mp2" ? / -write.*/ : /$^/, ""),
    );
    const { streams, packets } = ffprobe(file.path);
    expect(packets.length).toBeGreaterThan(5);
    for (const { pos, size } of packets) {
      const header = parseMp3Header(file.bytes, Number(pos));
      expect(header).toMatchObject({ version, frameBytes: Number(size), samplesPerFrame: samples });
      expect(header?.sampleRate).toBe(Number(streams[0]?.sample_rate));
      expect(header?.channels).toBe(streams[0]?.channels);
    }
    const first = parseMp3Header(file.bytes, Number(packets[0]?.pos));
    expect(first && mp3Track(2, first)).toMatchObject({ id: 2, codec: "mp3", codecString, sampleRate: rate });
  });
}

test("what is no header is none", () => {
  for (const hex of ["", "fffb90", "00fb9000", "ffeb9000", "fff99000", "fffbf000", "fffb9c00"]) {
    expect(parseMp3Header(Buffer.from(hex, "hex")), hex).toBeUndefined();
  }
});
