import { setTimeout as after } from "node:timers/promises";
import { Demuxer, Muxer } from "node-av/api";

/**
 * `node enhanced-rtmp-encoder.ts FILE URL`: sends a media file in real time as Enhanced RTMP, with the FFmpeg that
 * node-av carries: Debian's 5.1 is older than Enhanced RTMP. A program of its own, as its peer is.
 */
const [file, url] = process.argv.slice(2);
if (file === undefined || url === undefined) throw new Error("FILE and URL are wanted");

await using input = await Demuxer.open(file);
await using output = await Muxer.open(url, {
  format: "flv",
  configure: ({ streams }) => {
    // The file's own tags mean nothing in FLV.
    for (const { codecpar } of streams) codecpar.codecTag = 0;
  },
});
const indices = new Map(input.streams.map((stream) => [stream.index, output.addStream(stream)]));
let started: number | undefined;
for await (using packet of input.packets()) {
  if (packet === null) break;
  const stream = input.streams[packet.streamIndex];
  const index = indices.get(packet.streamIndex);
  if (stream === undefined || index === undefined) continue;
  const dueMs = (Number(packet.dts) * stream.timeBase.num * 1000) / stream.timeBase.den;
  const early = started === undefined ? 0 : started + dueMs - performance.now();
  if (early > 1) await after(early);
  await output.writePacket(packet, index);
  // The first one is written when the server has said yes: time runs from there.
  started ??= performance.now() - dueMs;
}
