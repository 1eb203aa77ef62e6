import {
  LevelBoard,
  LevelMeter,
  loadRoomMedia,
  meterOf,
  type OpenRoomMedia,
  RoomSession,
  type RoomWireTransport,
  SELF_LEVEL,
  SoundOut,
  WebSocketTransport,
} from "@klieg/room";
import { Capture } from "./media/capture.ts";
import { outgoingOf } from "./media/captured-publications.ts";
import { DeviceList } from "./media/device-list.ts";
import { RoomPreferences } from "./media/room-preferences.ts";
import type { Invite } from "./session/invite.ts";
import { RoomApi } from "./session/room-api.ts";
import { RoomDoor } from "./session/room-door.ts";

export interface RoomVisitOptions {
  readonly roomId: string;
  readonly invite: Invite;
  /** Instead of the real ones, to try the page without a server. */
  readonly openWire?: (url: string) => RoomWireTransport;
  readonly openMedia?: () => Promise<OpenRoomMedia>;
}

/** Everything that one visit to a room holds: devices, connection, sound. All of it is let go of by `close()`. */
export class RoomVisit implements Disposable {
  readonly invite: Invite;
  readonly preferences = new RoomPreferences();
  readonly api: RoomApi;
  readonly door: RoomDoor;
  readonly devices = new DeviceList();
  readonly capture: Capture;
  readonly levels = new LevelBoard();
  readonly sound: SoundOut;
  readonly session: RoomSession;
  readonly #page = new AbortController();
  readonly #uncapture: () => void;
  #meter: { readonly track: MediaStreamTrack; readonly meter: LevelMeter } | null = null;

  constructor(options: RoomVisitOptions) {
    const { roomId, invite } = options;
    this.invite = invite;
    this.api = new RoomApi(roomId);
    this.door = new RoomDoor(this.api);
    this.capture = new Capture(this.preferences);
    this.sound = new SoundOut(this.preferences.current.speaker, (blocked) => this.session.setSoundBlocked(blocked));
    const openWire = options.openWire ?? ((url) => new WebSocketTransport(new WebSocket(url)));
    this.session = new RoomSession({
      token: invite.token,
      openWire: () => openWire(this.api.socketUrl(location.href)),
      openMedia: options.openMedia ?? loadRoomMedia,
      outgoing: outgoingOf(this.capture),
      sound: this.sound,
      levels: this.levels,
    });
    this.#uncapture = this.capture.store.subscribe((state) => {
      this.#measure(state.microphone.track);
      // Devices have names from the first permission on.
      if (state.camera.track || state.microphone.track) void this.devices.refresh();
    });
    this.#listen();
  }

  close(): void {
    this.#page.abort();
    this.#uncapture();
    this.session.close();
    this.capture.close();
    this.#measure(null);
    this.sound.close();
    this.levels.close();
    this.devices.close();
    this.door.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #measure(track: MediaStreamTrack | null): void {
    if (this.#meter?.track === track) return;
    this.#meter?.meter.close();
    this.#meter = null;
    this.levels.set(SELF_LEVEL, 0);
    if (!track) return;
    const meter = new LevelMeter(track, (decibels) => this.levels.set(SELF_LEVEL, meterOf(decibels)));
    this.#meter = { track, meter };
  }

  #listen(): void {
    const { signal } = this.#page;
    const { reception } = this.session;
    document.addEventListener("visibilitychange", () => reception.setHidden(document.visibilityState === "hidden"), {
      signal,
    });
    // Says goodbye: nobody waits for one who closed the tab.
    addEventListener("pagehide", () => this.session.leave(), { signal });
    addEventListener("online", () => this.session.rejoinNow(), { signal });
  }
}
