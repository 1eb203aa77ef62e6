import { strings } from "../strings/capture.ts";

const DEVICE_KEY = "klieg.talkback-device";

type Problem = "denied" | "not_found" | "unplugged" | "in_use" | "insecure" | "unknown";

export interface TalkbackOptions {
  /** undefined where the browser has none to give: on addresses that are not secure. */
  readonly devices: Pick<MediaDevices, "getUserMedia"> | undefined;
  /** Remembers the device. */
  readonly memory: Pick<Storage, "getItem" | "setItem"> | undefined;
  /** The microphone that is used while none was chosen: its id; "" for the browser's choice. */
  readonly usual: () => string;
  readonly onChanged: () => void;
}

/**
 * The host's microphone to the guests alone. It is opened when it is first talked into, and stays open from there on, so that the next
 * word is not cut off; what it hears leaves the page only while {@link talking}.
 */
export class Talkback implements Disposable {
  readonly #options: TalkbackOptions;
  #device: string;
  #held = false;
  #latched = false;
  #track: MediaStreamTrack | undefined;
  #problem: Problem | undefined;
  /** Counts what was asked for, so that an answer to an older question is recognised. */
  #asked = 0;
  #opening = false;

  constructor(options: TalkbackOptions) {
    this.#options = options;
    this.#device = options.memory?.getItem(DEVICE_KEY) ?? "";
  }

  /** The chosen device's id; "" while none was chosen. */
  get device(): string {
    return this.#device;
  }

  get held(): boolean {
    return this.#held;
  }

  get latched(): boolean {
    return this.#latched;
  }

  get talking(): boolean {
    return this.#held || this.#latched;
  }

  /** What is to be sent; undefined while the microphone is not open. */
  get track(): MediaStreamTrack | undefined {
    return this.#track;
  }

  /** Why nothing is heard, in words. */
  get problem(): string | undefined {
    return this.#problem === undefined ? undefined : strings.problems[this.#problem];
  }

  /** Heard for as long as a key or button is down. */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    this.#follow();
  }

  /** Heard until it is switched off. */
  latch(latched: boolean): void {
    if (this.#latched === latched) return;
    this.#latched = latched;
    this.#follow();
  }

  /** Takes another microphone. @param device its id; "" for the one that is usual. */
  use(device: string): void {
    if (device === this.#device) return;
    this.#device = device;
    this.#options.memory?.setItem(DEVICE_KEY, device);
    const open = this.#track !== undefined || this.#opening;
    this.#release();
    if (open || this.talking) void this.#open();
    this.#options.onChanged();
  }

  /** Nobody is talked to any more. The microphone stays open. */
  silence(): void {
    this.#held = false;
    this.#latched = false;
    this.#options.onChanged();
  }

  /** Lets go of the microphone. It is opened again when it is talked into. */
  close(): void {
    this.#held = false;
    this.#latched = false;
    this.#problem = undefined;
    this.#release();
    this.#options.onChanged();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #follow(): void {
    if (this.talking && this.#track === undefined && !this.#opening) void this.#open();
    this.#options.onChanged();
  }

  async #open(): Promise<void> {
    const { devices } = this.#options;
    this.#asked += 1;
    const asked = this.#asked;
    if (devices === undefined) {
      this.#fail("insecure");
      return;
    }
    this.#opening = true;
    const device = this.#device === "" ? this.#options.usual() : this.#device;
    try {
      // Speech among what is played here: the browser takes the guests' own voices out of it.
      const speech = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
      const stream = await devices.getUserMedia({
        audio: device === "" ? speech : { ...speech, deviceId: { exact: device } },
      });
      const [track] = stream.getAudioTracks();
      if (asked !== this.#asked || track === undefined) {
        for (const one of stream.getTracks()) one.stop();
        if (asked === this.#asked) this.#fail("unknown");
        return;
      }
      this.#opening = false;
      this.#problem = undefined;
      this.#track = track;
      track.addEventListener("ended", () => {
        if (this.#track !== track) return;
        this.#track = undefined;
        this.#fail("unplugged");
      });
      this.#options.onChanged();
    } catch (error) {
      if (asked === this.#asked) this.#fail(problemOf(error));
    }
  }

  /** What cannot be heard is not talked into: its user has to press again. */
  #fail(problem: Problem): void {
    this.#opening = false;
    this.#problem = problem;
    this.#held = false;
    this.#latched = false;
    this.#options.onChanged();
  }

  #release(): void {
    this.#asked += 1;
    this.#opening = false;
    const track = this.#track;
    this.#track = undefined;
    track?.stop();
  }
}

/** What `getUserMedia` threw, by name: browsers differ in the words. */
function problemOf(error: unknown): Problem {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "not_found";
    case "NotReadableError":
    case "AbortError":
      return "in_use";
    default:
      return "unknown";
  }
}
