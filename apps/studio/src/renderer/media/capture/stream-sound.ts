import type { CaptureFrame } from "@klieg/protocol";

/** Sound that is off by more than this begins anew where it should be, s; less is made up for by playing a little faster or slower. */
const JUMP_S = 0.12;
const STEER_FROM_S = 0.015;
/** Nobody hears it, and it makes up for 5 ms a second. */
const STEER = 0.005;
/** Sound is not put on the output's time later than this, s. */
const LONGEST_AHEAD_S = 4;
const GESTURES = ["pointerdown", "keydown", "touchend"] as const;

/** The context in which the sound of all stream sources is put on time: made for the first, closed after the last. */
let shared: { readonly context: AudioContext; users: number } | undefined;

function onGesture(): void {
  void shared?.context.resume();
}

function takeContext(): AudioContext {
  if (shared === undefined) {
    shared = { context: new AudioContext({ sampleRate: 48_000, latencyHint: "balanced" }), users: 0 };
    // A page that was not touched yet may not play.
    for (const gesture of GESTURES) globalThis.addEventListener(gesture, onGesture, { capture: true });
  }
  shared.users += 1;
  return shared.context;
}

function leaveContext(): void {
  if (shared === undefined) return;
  shared.users -= 1;
  if (shared.users > 0) return;
  for (const gesture of GESTURES) globalThis.removeEventListener(gesture, onGesture, { capture: true });
  void shared.context.close();
  shared = undefined;
}

/** Sound of a stream source, decoded and put on the output's time, as a track. */
export class StreamSound implements Disposable {
  readonly track: MediaStreamTrack;
  readonly #context = takeContext();
  readonly #destination: MediaStreamAudioDestinationNode;
  readonly #dueAt: (timestampMs: number) => number | undefined;
  readonly #playing = new Set<AudioBufferSourceNode>();
  #decoder: AudioDecoder | undefined;
  /** Time of the context at which what was put there last ends, s. */
  #end = 0;
  #closed = false;

  /** @param dueAt monotonic ms at which what has a timestamp, ms, is to be heard. */
  constructor(dueAt: (timestampMs: number) => number | undefined) {
    this.#dueAt = dueAt;
    this.#destination = new MediaStreamAudioDestinationNode(this.#context, { channelCount: 2 });
    this.track = this.#destination.stream.getAudioTracks()[0] as MediaStreamTrack;
  }

  /** @param config AudioSpecificConfig (ISO/IEC 14496-3 § 1.6.2.1). */
  configure(config: Uint8Array<ArrayBuffer>): void {
    this.#closeDecoder();
    const objectType = (config[0] ?? 0) >> 3;
    const decoder: AudioDecoder = new AudioDecoder({
      output: (data) => this.#put(decoder, data),
      error: () => {
        // The next configuration begins anew; until then the source is without sound, and its picture goes on.
        if (decoder === this.#decoder) this.#decoder = undefined;
      },
    });
    this.#decoder = decoder;
    // The engine makes no other (`capture-arguments.ts`).
    const form = { sampleRate: 48_000, numberOfChannels: 2 };
    decoder.configure({ codec: `mp4a.40.${objectType}`, description: config, ...form });
  }

  push({ timestamp, data }: CaptureFrame): void {
    if (this.#decoder?.state !== "configured" || this.#context.state !== "running") return;
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data }));
  }

  /** What is on time and not heard yet belongs to something that is over. */
  silence(): void {
    for (const node of this.#playing) node.stop();
    this.#playing.clear();
    this.#end = 0;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeDecoder();
    this.silence();
    this.track.stop();
    leaveContext();
  }

  #put(decoder: AudioDecoder, data: AudioData): void {
    try {
      const due = this.#dueAt(data.timestamp / 1000);
      if (this.#closed || decoder !== this.#decoder || due === undefined) return;
      const now = this.#context.currentTime;
      const should = now + (due - performance.now()) / 1000;
      if (should > now + LONGEST_AHEAD_S) return;
      const off = this.#end - should;
      const jumps = this.#end <= now || Math.abs(off) > JUMP_S;
      const start = jumps ? Math.max(should, now + 0.005) : this.#end;
      const { numberOfFrames, numberOfChannels, sampleRate } = data;
      const buffer = this.#context.createBuffer(numberOfChannels, numberOfFrames, sampleRate);
      for (let channel = 0; channel < numberOfChannels; channel += 1) {
        data.copyTo(buffer.getChannelData(channel), { planeIndex: channel, format: "f32-planar" });
      }
      // Late by more than there is left to make up for: it would be heard over what comes next.
      if (jumps && should + buffer.duration < now) return;
      const rate = jumps || Math.abs(off) < STEER_FROM_S ? 1 : off > 0 ? 1 + STEER : 1 - STEER;
      const node = new AudioBufferSourceNode(this.#context, { buffer, playbackRate: rate });
      node.connect(this.#destination);
      node.onended = () => {
        node.disconnect();
        this.#playing.delete(node);
      };
      this.#playing.add(node);
      node.start(start);
      this.#end = start + buffer.duration / rate;
    } finally {
      data.close();
    }
  }

  #closeDecoder(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    if (decoder !== undefined && decoder.state !== "closed") decoder.close();
  }
}
