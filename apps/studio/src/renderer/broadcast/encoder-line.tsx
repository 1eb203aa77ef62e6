import { useEffect, useState } from "react";
import type { Canvas } from "../../document/canvas.ts";
import type { Encoding } from "../../document/encoding.ts";
import type { EncoderInUse } from "../media/compositor/compositor-statistics.ts";
import { BROWSER_HARDWARE, BROWSER_SOFTWARE, listBrowserEncoders } from "../media/encoder/encoder-choice.ts";
import { broadcastStrings as words } from "../strings/broadcast.ts";

/** What the browser can encode a picture with; undefined until that is known. */
export function useBrowserEncoders(canvas: Canvas, bitrate: number): readonly EncoderInUse[] | undefined {
  const [found, setFound] = useState<readonly EncoderInUse[]>();
  const { width, height, frame_rate: frameRate } = canvas;
  useEffect(() => {
    let gone = false;
    listBrowserEncoders({ width, height, frameRate }, bitrate).then(
      (encoders) => {
        if (!gone) setFound(encoders);
      },
      // A browser that cannot even be asked has none.
      () => {
        if (!gone) setFound([]);
      },
    );
    return () => {
      gone = true;
    };
  }, [width, height, frameRate, bitrate]);
  return found;
}

/** Plainly what a show will be encoded with: "1280 × 720 at 30 fps, 4.5 Mb/s, encoded by the NVIDIA GPU." */
export function encoderWords(canvas: Canvas, encoding: Encoding, found: readonly EncoderInUse[] | undefined): string {
  const picture = words.picture(canvas.width, canvas.height, canvas.frame_rate);
  const browsers = encoding.encoder === BROWSER_HARDWARE || encoding.encoder === BROWSER_SOFTWARE;
  if (encoding.encoder !== "auto" && !browsers) {
    return words.encoding(picture, encoding.video_bitrate, words.encodingEngine(encoding.encoder));
  }
  if (found === undefined) return words.encoding(picture, encoding.video_bitrate, words.encoderUnknown);
  const used = encoding.encoder === "auto" ? found[0] : found.find(({ name }) => name === encoding.encoder);
  return used === undefined
    ? `${picture}. ${words.noEncoder}`
    : words.encoding(picture, encoding.video_bitrate, used.label);
}
