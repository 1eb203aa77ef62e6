import type { CaptureOutlet, SourceCapture } from "./source-capture.ts";

/** What a guest of the room sends. */
export interface GuestTracks {
  readonly video: MediaStreamTrack | undefined;
  readonly audio: MediaStreamTrack | undefined;
}

/** A seat of the room: whoever sits there. Tracks belong to the room, and are not stopped here. */
export class GuestCapture implements SourceCapture {
  readonly #outlet: CaptureOutlet;
  #wasThere = false;

  constructor(outlet: CaptureOutlet, tracks: GuestTracks | undefined) {
    this.#outlet = outlet;
    this.tracks = tracks;
  }

  set tracks(tracks: GuestTracks | undefined) {
    if (tracks === undefined) {
      this.#outlet.report({ state: this.#wasThere ? "gone" : "waiting", problem: { kind: "no_guest" } });
    } else {
      this.#wasThere = true;
      this.#outlet.report({ state: "live", video: tracks.video, audio: tracks.audio });
    }
  }

  update(): void {
    // Nothing of it is ours to open.
  }

  retry(): void {
    // The room says when somebody comes.
  }

  [Symbol.dispose](): void {
    // The room owns the tracks.
  }
}
