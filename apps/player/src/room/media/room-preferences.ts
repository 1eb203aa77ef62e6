import { KeptOnDevice, type PreferenceStorage } from "../../playback/kept-on-device.ts";

export interface RememberedRoom {
  readonly name: string;
  /** Device ids as the browser gives them to this origin; null for its own choice. */
  readonly camera: string | null;
  readonly microphone: string | null;
  readonly speaker: string | null;
  readonly cameraOn: boolean;
  readonly microphoneOn: boolean;
  readonly layout: "grid" | "speaker";
}

const NAME_LENGTH = 60;

/** What rooms remember on this device. */
export class RoomPreferences extends KeptOnDevice<RememberedRoom> {
  constructor(storage?: PreferenceStorage | null) {
    super("klieg.room", read, storage);
  }
}

function read(record: Readonly<Record<string, unknown>>): RememberedRoom {
  return {
    name: text(record.name)?.slice(0, NAME_LENGTH) ?? "",
    camera: text(record.camera),
    microphone: text(record.microphone),
    speaker: text(record.speaker),
    cameraOn: record.cameraOn !== false,
    microphoneOn: record.microphoneOn !== false,
    layout: record.layout === "speaker" ? "speaker" : "grid",
  };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.length > 0 && value.length < 1000 ? value : null;
}
