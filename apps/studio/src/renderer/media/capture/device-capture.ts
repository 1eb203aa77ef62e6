import type { CaptureProblemKind } from "./capture.ts";
import { PictureWatch } from "./picture-watch.ts";
import type { CaptureOutlet, SourceCapture, SourceOf } from "./source-capture.ts";

type DeviceSource = SourceOf<"camera"> | SourceOf<"microphone">;

/** What other programs hold is tried again so often, ms: no event tells that they let go. */
const HELD_RETRY_MS = 5000;

/**
 * A camera or microphone. It comes back by itself when it is plugged in again, or allowed again; its place in the scenes
 * stays all the while.
 */
export class DeviceCapture implements SourceCapture {
  readonly #outlet: CaptureOutlet;
  readonly #stop = new AbortController();
  #source: DeviceSource;
  #stream: MediaStream | undefined;
  #opening = 0;
  #wasLive = false;
  #problem: CaptureProblemKind | undefined;
  readonly #watch = new PictureWatch();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #permission: PermissionStatus | undefined;

  /** @param stream a stream of the device that is open already, e.g. of a dialog's preview. */
  constructor(source: DeviceSource, outlet: CaptureOutlet, stream?: MediaStream) {
    this.#source = source;
    this.#outlet = outlet;
    const { signal } = this.#stop;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged(), { signal });
    void this.#watchPermission();
    if (stream === undefined) void this.#open();
    else this.#use(stream);
  }

  update(source: DeviceSource): void {
    const before = this.#source;
    this.#source = source;
    const asked = JSON.stringify(wishes(source));
    if (JSON.stringify(wishes(before)) !== asked) void this.#open();
  }

  retry(): void {
    void this.#open();
  }

  /** Once a second: how many pictures came. A camera that is open and sends none is opened anew. */
  watch(frameRate: number): void {
    const [track] = this.#stream?.getVideoTracks() ?? [];
    if (track === undefined) return;
    const verdict = this.#watch.look(frameRate);
    if (verdict === "shows" && this.#problem === "no_picture") {
      this.#problem = undefined;
      this.#outlet.report({ state: "live", video: track });
    } else if (verdict === "silent") {
      this.#fail("no_picture", this.#source.device.label);
      void this.#open();
    }
  }

  /** Takes a stream of the device that somebody else opened. */
  adopt(stream: MediaStream): void {
    this.#opening += 1;
    this.#use(stream);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#opening += 1;
    this.#release();
  }

  get #kind(): "video" | "audio" {
    return this.#source.kind === "camera" ? "video" : "audio";
  }

  async #open(): Promise<void> {
    this.#opening += 1;
    const opening = this.#opening;
    this.#release();
    if (navigator.mediaDevices === undefined) {
      this.#fail("insecure", "");
      return;
    }
    const silent = this.#problem === "no_picture";
    if (!silent) this.#outlet.report({ state: "opening" });
    try {
      const stream = await this.#ask(opening);
      if (stream === undefined) return;
      if (opening !== this.#opening) for (const track of stream.getTracks()) track.stop();
      else this.#use(stream);
    } catch (error) {
      if (opening === this.#opening) this.#failedToOpen(error);
    }
  }

  /** By the device's id; by its name where that is another one now; undefined where this was overtaken. */
  async #ask(opening: number): Promise<MediaStream | undefined> {
    const wished = wishes(this.#source);
    try {
      return await navigator.mediaDevices.getUserMedia({ [this.#kind]: wished });
    } catch (error) {
      const { label } = this.#source.device;
      if (!(error instanceof DOMException) || !["OverconstrainedError", "NotFoundError"].includes(error.name))
        throw error;
      if (this.#source.device.id === "" || opening !== this.#opening) throw error;
      const devices = await navigator.mediaDevices.enumerateDevices();
      const kind = `${this.#kind}input`;
      const same = devices.find((device) => device.kind === kind && label !== "" && device.label === label);
      const there = devices.some((device) => device.kind === kind && device.deviceId === this.#source.device.id);
      if (same === undefined && !there) throw new DOMException(label, "NotFoundError");
      if (opening !== this.#opening) return undefined;
      const deviceId = { exact: same?.deviceId ?? this.#source.device.id };
      if (same !== undefined && same.deviceId !== this.#source.device.id) {
        return await navigator.mediaDevices.getUserMedia({ [this.#kind]: { ...wished, deviceId } });
      }
      throw error;
    }
  }

  #use(stream: MediaStream): void {
    this.#release();
    this.#stream = stream;
    this.#wasLive = true;
    const silent = this.#problem === "no_picture";
    if (!silent) {
      this.#problem = undefined;
      this.#watch.reset();
    }
    const [track] = this.#kind === "video" ? stream.getVideoTracks() : stream.getAudioTracks();
    if (track === undefined) {
      this.#fail("unknown", "the stream has no track of its kind");
      return;
    }
    track.addEventListener("ended", () => {
      if (this.#stream === stream) void this.#ended();
    });
    const { width = 0, height = 0 } = track.getSettings();
    const size = { width, height };
    if (this.#kind === "audio") this.#outlet.report({ state: "live", audio: track });
    // One that had sent nothing is there again when it has sent something.
    else if (silent) {
      const problem = { kind: "no_picture", detail: this.#source.device.label } as const;
      this.#outlet.report({ state: "gone", problem, video: track });
    } else this.#outlet.report({ state: "live", video: track, ...(width > 0 ? { size } : {}) });
  }

  /** The browser ended the track by itself: the device was unplugged, or taken back from the page. */
  async #ended(): Promise<void> {
    const opening = this.#opening;
    this.#release();
    const { device } = this.#source;
    const denied = this.#permission?.state === "denied";
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (opening !== this.#opening) return;
    const there = devices.some(({ kind, deviceId }) => kind === `${this.#kind}input` && deviceId === device.id);
    if (denied) this.#fail("revoked", device.label);
    else this.#fail("unplugged", device.label);
    // A device that only hiccuped is there still.
    if (there && !denied) this.#retryLater();
  }

  #failedToOpen(error: unknown): void {
    const name = error instanceof DOMException || error instanceof Error ? error.name : "";
    const detail = error instanceof Error && error.message !== "" ? error.message : this.#source.device.label;
    if (name === "NotAllowedError" || name === "SecurityError") {
      this.#fail(this.#wasLive ? "revoked" : "denied", detail);
    } else if (name === "NotFoundError") {
      this.#fail(this.#wasLive ? "unplugged" : "not_found", detail);
    } else if (name === "NotReadableError" || name === "AbortError") {
      this.#fail("in_use", detail);
      this.#retryLater();
    } else if (name === "OverconstrainedError") {
      this.#fail("mode", detail);
    } else {
      this.#fail("unknown", detail);
    }
  }

  #fail(kind: CaptureProblemKind, detail: string): void {
    this.#problem = kind;
    const gone = kind === "unplugged" || kind === "no_picture";
    this.#outlet.report({ state: gone ? "gone" : "failed", problem: { kind, detail } });
  }

  #retryLater(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#open(), HELD_RETRY_MS);
  }

  #devicesChanged(): void {
    if (this.#problem === "unplugged" || this.#problem === "not_found" || this.#problem === "in_use") void this.#open();
  }

  async #watchPermission(): Promise<void> {
    const name = (this.#kind === "video" ? "camera" : "microphone") as PermissionName;
    try {
      const permission = await navigator.permissions.query({ name });
      if (this.#stop.signal.aborted) return;
      this.#permission = permission;
      const { signal } = this.#stop;
      permission.addEventListener("change", () => this.#permissionChanged(permission), { signal });
    } catch {
      // A browser that does not tell; then its user tries again by hand.
    }
  }

  #permissionChanged({ state }: PermissionStatus): void {
    const refused = this.#problem === "denied" || this.#problem === "revoked";
    if (state === "granted" && (refused || this.#problem === "unplugged")) void this.#open();
    else if (state === "denied" && this.#problem === "unplugged") this.#fail("revoked", this.#source.device.label);
  }

  #release(): void {
    clearTimeout(this.#retryTimer);
    const stream = this.#stream;
    this.#stream = undefined;
    for (const track of stream?.getTracks() ?? []) track.stop();
  }
}

function wishes(source: DeviceSource): MediaTrackConstraints {
  const device = source.device.id === "" ? {} : { deviceId: { exact: source.device.id } };
  if (source.kind === "microphone") {
    const echo = source.echo_cancellation;
    // The mixer has its own filters; the browser's would work against them.
    return { ...device, echoCancellation: echo, noiseSuppression: false, autoGainControl: false };
  }
  return {
    ...device,
    width: { ideal: source.width ?? 1280 },
    height: { ideal: source.height ?? 720 },
    frameRate: { ideal: source.frame_rate ?? 30 },
  };
}
