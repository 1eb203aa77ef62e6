import { MIX_MINUS_PROCESSOR, type MixMinusMessage } from "./mixer-message.ts";

/** The mix without the guests of the room (mix-minus), as a track for these to hear. */
export class MixMinus {
  readonly track: MediaStreamTrack;
  readonly #context: AudioContext;
  readonly #output: MediaStreamAudioDestinationNode;
  #bus: AudioWorkletNode | undefined;

  constructor(context: AudioContext) {
    this.#context = context;
    this.#output = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
    this.track = this.#output.stream.getAudioTracks()[0] as MediaStreamTrack;
  }

  /**
   * Begins to mix, or begins anew: once the mixer's worklet is loaded, and after a processor that threw, which is silent for ever.
   * @param onError told once.
   */
  start(onError: () => void): void {
    this.#bus?.disconnect();
    const bus = new AudioWorkletNode(this.#context, MIX_MINUS_PROCESSOR, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [2],
      channelCount: 2,
      channelCountMode: "explicit",
    });
    bus.onprocessorerror = () => {
      if (this.#bus === bus) onError();
    };
    bus.connect(this.#output);
    this.#bus = bus;
  }

  /** Has a source's strip in the mix, by its first output. */
  add(strip: AudioNode): void {
    if (this.#bus !== undefined) strip.connect(this.#bus, 0);
  }

  close(): void {
    const bus = this.#bus;
    this.#bus = undefined;
    bus?.port.postMessage({ type: "close" } satisfies MixMinusMessage);
    bus?.port.close();
    this.track.stop();
  }
}
