/** What goes into one merged track. */
interface Merged {
  readonly output: MediaStreamAudioDestinationNode;
  readonly inputs: Map<MediaStreamTrack, Input>;
}

interface Input {
  readonly node: MediaStreamAudioSourceNode;
  /** Plays the track to nobody: Chromium decodes what comes by WebRTC only while a media element plays it (crbug.com/933677). */
  readonly player: HTMLAudioElement;
}

/** Makes one track of a guest's voice and what the screen that they share sounds like: a seat has one. */
export class SoundMerge implements Disposable {
  readonly #merged = new Map<string, Merged>();
  #context: AudioContext | undefined;

  /** One track with the sound of all of these; the same one for `id` until it is released, whatever goes into it. */
  merge(id: string, tracks: readonly MediaStreamTrack[]): MediaStreamTrack {
    this.#context ??= new AudioContext({ sampleRate: 48_000 });
    const context = this.#context;
    void context.resume();
    let merged = this.#merged.get(id);
    if (merged === undefined) {
      merged = { output: new MediaStreamAudioDestinationNode(context, { channelCount: 2 }), inputs: new Map() };
      this.#merged.set(id, merged);
    }
    for (const [track, input] of merged.inputs) {
      if (tracks.includes(track)) continue;
      end(input);
      merged.inputs.delete(track);
    }
    for (const track of tracks) {
      if (merged.inputs.has(track)) continue;
      const mediaStream = new MediaStream([track]);
      const node = new MediaStreamAudioSourceNode(context, { mediaStream });
      node.connect(merged.output);
      const player = new Audio();
      player.muted = true;
      player.srcObject = mediaStream;
      player.play().catch((error: unknown) => {
        // Overtaken by its end.
        if (player.srcObject === mediaStream) console.warn("Klieg: a guest's track is not played:", error);
      });
      merged.inputs.set(track, { node, player });
    }
    return merged.output.stream.getAudioTracks()[0] as MediaStreamTrack;
  }

  /** Lets go of everything but what these have merged. */
  keep(ids: ReadonlySet<string>): void {
    for (const [id, { inputs, output }] of this.#merged) {
      if (ids.has(id)) continue;
      for (const input of inputs.values()) end(input);
      for (const track of output.stream.getTracks()) track.stop();
      this.#merged.delete(id);
    }
    if (this.#merged.size > 0) return;
    void this.#context?.close();
    this.#context = undefined;
  }

  [Symbol.dispose](): void {
    this.keep(new Set());
  }
}

function end({ node, player }: Input): void {
  node.disconnect();
  player.pause();
  player.srcObject = null;
}
