import { createStore, type StoreApi } from "zustand/vanilla";

export interface NamedDevice {
  readonly id: string;
  /** Empty until the person allowed a device of that kind. */
  readonly label: string;
}

export interface DeviceListState {
  readonly camera: readonly NamedDevice[];
  readonly microphone: readonly NamedDevice[];
  /** Where sound can come out; empty where the browser does not let pages choose. */
  readonly speaker: readonly NamedDevice[];
  /** False until the browser has told once. */
  readonly known: boolean;
}

/** The part of `navigator.mediaDevices` that is used. */
export type ListedDevices = Pick<MediaDevices, "enumerateDevices" | "addEventListener" | "removeEventListener">;

/** The devices that are plugged in, kept up to date. */
export class DeviceList implements Disposable {
  readonly store: StoreApi<DeviceListState> = createStore(() => ({
    camera: [],
    microphone: [],
    speaker: [],
    known: false,
  }));
  readonly #devices: ListedDevices | null;
  readonly #changed = () => void this.refresh();
  #closed = false;

  constructor(devices: ListedDevices | null = navigator.mediaDevices ?? null) {
    this.#devices = devices;
    devices?.addEventListener("devicechange", this.#changed);
    void this.refresh();
  }

  /** Names come only after a permission: ask again then. */
  async refresh(): Promise<void> {
    const devices = await this.#devices?.enumerateDevices().catch((error: unknown) => {
      console.info("Klieg: the browser does not list its devices:", error);
      return [];
    });
    if (!devices || this.#closed) return;
    const named = (kind: MediaDeviceKind) =>
      devices
        .filter((device) => device.kind === kind && device.deviceId !== "")
        .map(({ deviceId, label }) => ({ id: deviceId, label }));
    this.store.setState({
      camera: named("videoinput"),
      microphone: named("audioinput"),
      speaker: named("audiooutput"),
      known: true,
    });
  }

  close(): void {
    this.#closed = true;
    this.#devices?.removeEventListener("devicechange", this.#changed);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
