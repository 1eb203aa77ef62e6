import { parse, types } from "hls-parser";
import { Parser } from "m3u8-parser";
import { describe, expect, test } from "vitest";
import { type AudioRendition, renderMultivariant, type VariantStream } from "./multivariant-playlist.ts";
import { PlaylistError } from "./playlist-error.ts";

const english: AudioRendition = {
  groupId: "sound",
  uri: "audio/live.m3u8",
  name: "Main, mixed",
  language: "en",
  isDefault: true,
  channels: 2,
  codec: "mp4a.40.2",
  bandwidth: 130_000,
  averageBandwidth: 128_000,
};
const commentary: AudioRendition = {
  ...english,
  uri: "comment/live.m3u8",
  name: "Commentary",
  language: "de",
  isDefault: false,
  autoselect: true,
  codec: "opus",
  bandwidth: 99_000.5,
  averageBandwidth: 90_000,
};
const high: VariantStream = {
  uri: "1080p/live.m3u8",
  codecs: ["avc1.640028"],
  bandwidth: 6_600_000,
  averageBandwidth: 6_000_000,
  resolution: { width: 1920, height: 1080 },
  frameRate: 30_000 / 1001,
  audioGroup: "sound",
};

describe("PKG1 multivariant playlist", () => {
  const text = renderMultivariant(
    { independentSegments: true, audio: [english, commentary], variants: [high, { ...high, uri: "720p/live.m3u8" }] },
    (uri) => `${uri}?token=a%22b&x=1`,
  );

  test("rules 35 to 38, line by line", () => {
    expect(text.split("\n").slice(0, 7)).toEqual([
      "#EXTM3U",
      "#EXT-X-VERSION:6",
      "#EXT-X-INDEPENDENT-SEGMENTS",
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Main, mixed",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/live.m3u8?token=a%22b&x=1"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Commentary",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="comment/live.m3u8?token=a%22b&x=1"',
      '#EXT-X-STREAM-INF:BANDWIDTH=6730000,AVERAGE-BANDWIDTH=6128000,CODECS="avc1.640028,mp4a.40.2,opus",RESOLUTION=1920x1080,FRAME-RATE=29.970,AUDIO="sound",CLOSED-CAPTIONS=NONE',
      "1080p/live.m3u8?token=a%22b&x=1",
    ]);
  });

  test("hls-parser and m3u8-parser read it", () => {
    const strict = parse(text);
    if (!(strict instanceof types.MasterPlaylist)) throw new Error("taken for a media playlist");
    expect(strict.variants.map(({ bandwidth, codecs, frameRate }) => ({ bandwidth, codecs, frameRate }))).toEqual(
      [0, 1].map(() => ({ bandwidth: 6_730_000, codecs: "avc1.640028,mp4a.40.2,opus", frameRate: 29.97 })),
    );
    expect(strict.variants[0]?.audio.map(({ name }) => name)).toEqual(["Main, mixed", "Commentary"]);
    const parser = new Parser();
    const warnings: unknown[] = [];
    parser.on("warn", (warning) => warnings.push(warning));
    parser.push(text);
    parser.end();
    expect(warnings).toEqual([]);
    expect(parser.manifest.playlists?.map(({ uri }) => uri)).toEqual([
      "1080p/live.m3u8?token=a%22b&x=1",
      "720p/live.m3u8?token=a%22b&x=1",
    ]);
    expect(Object.keys(parser.manifest.mediaGroups?.AUDIO.sound ?? {})).toEqual(["Main, mixed", "Commentary"]);
  });

  test("sound alone", () => {
    const { resolution, frameRate, audioGroup, ...rest } = high;
    const alone = renderMultivariant({ audio: [], variants: [{ ...rest, codecs: ["mp4a.40.2"] }] });
    expect(alone).toContain(
      '#EXT-X-STREAM-INF:BANDWIDTH=6600000,AVERAGE-BANDWIDTH=6000000,CODECS="mp4a.40.2",CLOSED-CAPTIONS=NONE\n',
    );
    parse(alone);
  });

  test("rules 37 and 39: what must not be is not printed", () => {
    const bad = (run: () => string) => expect(run).toThrow(PlaylistError);
    bad(() => renderMultivariant({ audio: [], variants: [high] }));
    bad(() => renderMultivariant({ audio: [english, english], variants: [] }));
    bad(() => renderMultivariant({ audio: [english, { ...commentary, isDefault: true }], variants: [] }));
    for (const name of ['a"b', "a\nb", "a\rb", "a\u0085b"]) {
      bad(() => renderMultivariant({ audio: [{ ...english, name }], variants: [] }));
    }
    bad(() => renderMultivariant({ audio: [english], variants: [{ ...high, uri: "a\n#EXT-X-ENDLIST" }] }));
    bad(() => renderMultivariant({ audio: [english], variants: [{ ...high, bandwidth: Number.NaN }] }));
  });
});
