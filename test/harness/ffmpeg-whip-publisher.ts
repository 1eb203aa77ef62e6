import { setTimeout as after } from "node:timers/promises";
import { Demuxer, Muxer } from "node-av/api";

/**
 * `node ffmpeg-whip-publisher.ts FILE URL KEY`: publishes a media file (H.264 without B-frames, Opus) in real time with
 * the WHIP muxer of the FFmpeg that node-av carries: Debian's 5.1 has none. Ends with the file, or with its input.
 */
const [file, url, key] = process.argv.slice(2);
if (file === undefined || url === undefined || key === undefined) throw new Error("FILE, URL and KEY are wanted");

const stop = new AbortController();
process.stdin.once("end", () => stop.abort()).resume();

await using input = await Demuxer.open(file);
await using output = await Muxer.open(url, { format: "whip", options: { authorization: key } });
const indices = new Map(input.streams.map((stream) => [stream.index, output.addStream(stream)]));
let started: number | undefined;
for await (using packet of input.packets()) {
  if (packet === null || stop.signal.aborted) break;
  const stream = input.streams[packet.streamIndex];
  const index = indices.get(packet.streamIndex);
  if (stream === undefined || index === undefined) continue;
  const dueMs = (Number(packet.dts) * stream.timeBase.num * 1000) / stream.timeBase.den;
  const early = started === undefined ? 0 : started + dueMs - performance.now();
  if (early > 1) await after(early);
  await output.writePacket(packet, index);
  if (started === undefined) {
    // The first one is written when the connection stands: time runs from there.
    started = performance.now() - dueMs;
    process.stdout.write("publishing\n");
  }
}
