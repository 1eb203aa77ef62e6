import type { CaptureStatus } from "@klieg/protocol";
import { streamStrings as words } from "../strings/streams.ts";

/** What comes from a stream, as lines for its user. */
export function streamWords({ video, audio, dropped_frames: dropped }: CaptureStatus): string[] {
  const sound = audio === null ? words.withoutSound : words.withSound;
  const codec = video === null ? "" : (words.codecs[video.codec] ?? video.codec);
  const first =
    video === null ? words.onlySound : `${words.picture(video.width, video.height, video.frame_rate, codec)}, ${sound}`;
  return [
    first,
    ...(video?.converted === true ? [words.converted] : []),
    ...(dropped > 0 ? [words.dropped(dropped)] : []),
  ];
}
