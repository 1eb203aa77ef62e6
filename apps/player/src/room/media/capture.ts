import { createStore, type StoreApi } from "zustand/vanilla";
import { type CaptureFault, captureFaultOf } from "./capture-fault.ts";
import type { RoomPreferences } from "./room-preferences.ts";

export type Device = "camera" | "microphone";

/** One thing that is captured. */
export interface Captured {
  /** Live, or null. */
  readonly track: MediaStreamTrack | null;
  /** Whether the browser was asked and has not answered. */
  readonly asking: boolean;
  readonly fault: CaptureFault | null;
}

export interface CaptureState {
  readonly camera: Captured;
  /** The track stays open while muted, so that speaking again is a matter of milliseconds. */
  readonly microphone: Captured;
  readonly muted: boolean;
  /** Muted, but held open for as long as a key is. */
  readonly talking: boolean;
  readonly screen: Captured;
  /** Comes with some screens. */
  readonly screenAudio: MediaStreamTrack | null;
}

const NOTHING: Captured = { track: null, asking: false, fault: null };

/** The part of `navigator.mediaDevices` that is used. */
export type CaptureDevices = Pick<MediaDevices, "getUserMedia" | "getDisplayMedia">;

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: "user",
};
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Chromium's; others ignore them. */
const SCREEN = {
  video: { frameRate: { ideal: 30, max: 30 }, width: { max: 2560 }, height: { max: 1600 } },
  audio: {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    suppressLocalAudioPlayback: false,
  },
  selfBrowserSurface: "exclude",
  surfaceSwitching: "include",
  systemAudio: "include",
};

/**
 * This tab's camera, microphone and screen. Tracks outlive the connections that they are sent over, and all of them stop on
 * `close()`: no lamp beside a camera stays lit.
 */
export class Capture implements Disposable {
  readonly store: StoreApi<CaptureState>;
  readonly #devices: CaptureDevices | null;
  readonly #preferences: RoomPreferences;
  /** Counts what was asked of each, so that an answer to an older question is recognised. */
  readonly #asked = { camera: 0, microphone: 0, screen: 0 };
  #closed = false;

  /** @param devices null where the browser has none to give: outside secure contexts. */
  constructor(preferences: RoomPreferences, devices: CaptureDevices | null = navigator.mediaDevices ?? null) {
    this.#devices = devices;
    this.#preferences = preferences;
    const muted = !preferences.current.microphoneOn;
    this.store = createStore(() => ({
      camera: NOTHING,
      microphone: NOTHING,
      muted,
      talking: false,
      screen: NOTHING,
      screenAudio: null,
    }));
  }

  /** Opens camera and microphone with one question to the person; each that fails says so by itself. */
  async open(wanted: readonly Device[]): Promise<void> {
    if (wanted.length === 2) {
      const both = await this.#take(wanted);
      // One that is missing or refused must not take the other along.
      if (both) return;
      await this.#take(["camera"]);
      await this.#take(["microphone"]);
    } else if (wanted.length === 1) await this.#take(wanted);
  }

  /** Opens or closes the camera. */
  async setCamera(on: boolean): Promise<void> {
    this.#preferences.update({ cameraOn: on });
    if (on) await this.#take(["camera"]);
    else this.#drop("camera");
  }

  /** Mutes, or unmutes; opens the microphone where it is not. */
  async setMuted(muted: boolean): Promise<void> {
    this.#preferences.update({ microphoneOn: !muted });
    this.#setSpeech({ muted, talking: false });
    if (!muted && !this.store.getState().microphone.track) await this.#take(["microphone"]);
  }

  /** Heard for as long as a key is down, although muted. */
  setTalking(talking: boolean): void {
    this.#setSpeech({ talking });
  }

  /** A host muted this microphone: not remembered for the next room. */
  muteByHost(): void {
    this.#setSpeech({ muted: true, talking: false });
  }

  /** Takes another device, at once where that kind is in use. @param id null for the browser's choice. */
  async use(device: Device, id: string | null): Promise<void> {
    this.#preferences.update({ [device]: id });
    if (this.store.getState()[device].track) await this.#take([device]);
  }

  /** Asks which screen, and shares it. Resolves to whether one is shared. */
  async shareScreen(): Promise<boolean> {
    const asked = ++this.#asked.screen;
    const current = () => asked === this.#asked.screen && !this.#closed;
    if (!this.#devices?.getDisplayMedia) {
      this.#set("screen", { ...NOTHING, fault: this.#devices ? "failed" : "insecure" });
      return false;
    }
    this.#set("screen", { ...this.store.getState().screen, asking: true, fault: null });
    try {
      const stream = await this.#devices.getDisplayMedia(SCREEN as DisplayMediaStreamOptions);
      if (!current()) {
        stop(stream.getTracks());
        return false;
      }
      this.#stopScreen();
      const [track = null] = stream.getVideoTracks();
      const [screenAudio = null] = stream.getAudioTracks();
      // Letters before motion.
      if (track && "contentHint" in track) track.contentHint = "detail";
      track?.addEventListener("ended", () => {
        if (this.store.getState().screen.track === track) this.stopScreen();
      });
      this.#set("screen", { track, asking: false, fault: null });
      this.store.setState({ screenAudio });
      return track !== null;
    } catch (error) {
      if (!current()) return false;
      const fault = captureFaultOf(error);
      // "Denied" is also how browsers tell that the person thought better of it.
      this.#set("screen", { ...this.store.getState().screen, asking: false, fault: fault === "denied" ? null : fault });
      return false;
    }
  }

  stopScreen(): void {
    this.#asked.screen += 1;
    this.#stopScreen();
  }

  /** Nothing is captured any more, and nothing can be. Idempotent. */
  close(): void {
    this.#closed = true;
    this.stopAll();
  }

  /** Everything stops; what is wanted again is opened again. */
  stopAll(): void {
    this.#drop("camera");
    this.#drop("microphone");
    this.stopScreen();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Resolves to whether all could be had, or somebody asked for something else meanwhile. */
  async #take(wanted: readonly Device[]): Promise<boolean> {
    if (this.#closed) return true;
    const asked = new Map(wanted.map((device) => [device, ++this.#asked[device]]));
    const current = (device: Device) => asked.get(device) === this.#asked[device] && !this.#closed;
    if (!this.#devices) {
      for (const device of wanted) this.#set(device, { ...NOTHING, fault: "insecure" });
      return true;
    }
    for (const device of wanted) this.#set(device, { ...this.store.getState()[device], asking: true });
    try {
      const tracks = await this.#ask(this.#devices, wanted);
      for (const device of wanted) {
        const track = tracks.find(({ kind }) => kind === (device === "camera" ? "video" : "audio")) ?? null;
        if (!current(device)) track?.stop();
        else this.#adopt(device, track);
      }
      return true;
    } catch (error) {
      const fault = captureFaultOf(error);
      if (fault === "failed") console.warn("Klieg: capture failed:", error);
      for (const device of wanted) {
        if (!current(device)) continue;
        const { track } = this.store.getState()[device];
        this.#set(device, { track, asking: false, fault });
      }
      return false;
    }
  }

  async #ask(devices: CaptureDevices, wanted: readonly Device[]): Promise<MediaStreamTrack[]> {
    const constraints = (chosen: boolean): MediaStreamConstraints => ({
      video: wanted.includes("camera") && { ...CAMERA, ...this.#chosen("camera", chosen) },
      audio: wanted.includes("microphone") && { ...MICROPHONE, ...this.#chosen("microphone", chosen) },
    });
    try {
      return (await devices.getUserMedia(constraints(true))).getTracks();
    } catch (error) {
      const fault = captureFaultOf(error);
      // The device that was chosen once is not plugged in today.
      if (fault === "missing") return (await devices.getUserMedia(constraints(false))).getTracks();
      if (fault !== "busy") throw error;
      // Phones open one camera at a time: let go of the old one first.
      const held = wanted.filter((device) => this.store.getState()[device].track);
      if (held.length === 0) throw error;
      for (const device of held) this.#release(device);
      return (await devices.getUserMedia(constraints(true))).getTracks();
    }
  }

  #chosen(device: Device, chosen: boolean): MediaTrackConstraints {
    const id = this.#preferences.current[device];
    // The side that a camera faces says nothing where one was picked by name.
    return chosen && id !== null ? { deviceId: { exact: id }, ...(device === "camera" ? { facingMode: {} } : {}) } : {};
  }

  #adopt(device: Device, track: MediaStreamTrack | null): void {
    const before = this.store.getState()[device].track;
    if (before !== track) before?.stop();
    if (track) {
      if (device === "camera" && "contentHint" in track) track.contentHint = "motion";
      track.addEventListener("ended", () => this.#lost(device, track));
    }
    this.#set(device, { track, asking: false, fault: track ? null : "missing" });
    if (device === "microphone") this.#setSpeech({});
  }

  /** Unplugged, or taken away by the system: another one will do, once. */
  #lost(device: Device, track: MediaStreamTrack): void {
    if (this.store.getState()[device].track !== track) return;
    this.#set(device, { track: null, asking: false, fault: "lost" });
    void this.#take([device]).then((taken) => {
      if (!taken && !this.store.getState()[device].track) {
        this.#set(device, { track: null, asking: false, fault: "lost" });
      }
    });
  }

  #drop(device: Device): void {
    this.#asked[device] += 1;
    this.#release(device);
    this.#set(device, NOTHING);
  }

  #release(device: Device): void {
    const { track } = this.store.getState()[device];
    this.#set(device, { ...this.store.getState()[device], track: null });
    track?.stop();
  }

  #stopScreen(): void {
    const { screen, screenAudio } = this.store.getState();
    this.store.setState({ screen: NOTHING, screenAudio: null });
    stop([screen.track, screenAudio]);
  }

  #setSpeech(change: Partial<Pick<CaptureState, "muted" | "talking">>): void {
    this.store.setState(change);
    const { microphone, muted, talking } = this.store.getState();
    if (microphone.track) microphone.track.enabled = !muted || talking;
  }

  #set(what: Device | "screen", captured: Captured): void {
    this.store.setState({ [what]: captured });
  }
}

function stop(tracks: readonly (MediaStreamTrack | null)[]): void {
  for (const track of tracks) track?.stop();
}

/** Whether what the microphone hears is sent. */
export function isHeard(state: CaptureState): boolean {
  return state.microphone.track !== null && (!state.muted || state.talking);
}
