import { Child } from "./child.ts";
import { type EncoderOptions, encode } from "./encoder.ts";

/** Debian's ffmpeg writes a transport stream to srt-live-transmit, which calls the listener at `url`. */
export class TransmittedEncoder implements AsyncDisposable {
  readonly encoder: Child;
  readonly transmitter: Child;

  /** @param url as srt-live-transmit takes it: nothing in it is percent-decoded. */
  constructor(url: string, options: Omit<EncoderOptions, "url" | "format">) {
    this.transmitter = transmit(url);
    this.encoder = encode({ ...options, url: "pipe:1", format: "mpegts" });
    this.encoder.process.stdout.pipe(this.transmitter.process.stdin);
  }

  get output(): string {
    return `${this.transmitter.output}\n${this.encoder.output}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transmitter.stop();
    await this.encoder.stop();
  }
}

/** srt-live-transmit, sending what is written to its standard input to the listener at `url`. */
export function transmit(url: string): Child {
  return new Child("srt-live-transmit", ["-loglevel:note", "-a:no", "-chunk:1316", "file://con", url], {
    binaryOutput: true,
    // Where nothing more comes on its standard input, it does not see that it has been asked to go.
    graceMs: 300,
  });
}
