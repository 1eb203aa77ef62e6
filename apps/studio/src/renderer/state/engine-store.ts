import {
  type BitrateReason,
  type BroadcastState,
  CLOSED_GUEST_ROOM,
  type GuestRoomState,
  IDLE_BROADCAST,
  IDLE_PROGRAM,
  IDLE_RECORDING,
  IDLE_REPLAY,
  KliegError,
  type ProgramState,
  type RecordingState,
  type ReplayState,
  type SecretHolder,
  type StudioAnswerOf,
  type StudioEvent,
  type StudioEventOf,
  type StudioRequestInput,
  type StudioRequestType,
  type StudioSettings,
  type StudioWelcome,
} from "@klieg/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { LinkState } from "../link/studio-link.ts";

/** What the store needs of the link to the engine (`StudioLink` is one). */
export interface EngineLink {
  request<T extends StudioRequestType>(type: T, input: StudioRequestInput<T>): Promise<StudioAnswerOf<T>>;
  onEvent(listener: (event: StudioEvent) => void): Disposable;
  readonly state: LinkState;
  onState(listener: (state: LinkState) => void): Disposable;
}

/** What the engine has told, as it is now. */
export interface EngineState {
  /** Whether the page has its engine. */
  readonly linked: boolean;
  readonly linkState: LinkState;
  /** What the engine is; undefined before its first answer. */
  readonly welcome: StudioWelcome | undefined;
  readonly settings: StudioSettings | undefined;
  readonly secrets: readonly SecretHolder[];
  readonly broadcast: BroadcastState;
  readonly program: ProgramState;
  readonly recording: RecordingState;
  readonly replay: ReplayState;
  /** The room of the show's guests. */
  readonly guestRoom: GuestRoomState;
  /** The last figures; undefined while nothing is sent. */
  readonly health: StudioEventOf<"health"> | undefined;
  /** Epoch ms by the page's clock at which they came. */
  readonly healthAt: number;
  readonly bitrate: { readonly asked: number; readonly reason: BitrateReason } | undefined;
  readonly update: { readonly state: StudioEventOf<"update">["state"]; readonly version: string | null };
}

/** What is taken to be so until the engine has told. */
export const NOTHING_TOLD: EngineState = {
  linked: false,
  linkState: { state: "connecting" },
  welcome: undefined,
  settings: undefined,
  secrets: [],
  broadcast: IDLE_BROADCAST,
  program: IDLE_PROGRAM,
  recording: IDLE_RECORDING,
  replay: IDLE_REPLAY,
  guestRoom: CLOSED_GUEST_ROOM,
  health: undefined,
  healthAt: 0,
  bitrate: undefined,
  update: { state: "none", version: null },
};

/** A mirror of what the engine says of itself: whole after `hello`, and after every reconnect. */
export class EngineStore implements Disposable {
  readonly state: StoreApi<EngineState>;
  readonly link: EngineLink;
  readonly #wall: () => number;
  readonly #subscriptions: readonly Disposable[];

  /** @param wall epoch ms. */
  constructor(link: EngineLink, wall: () => number = Date.now) {
    this.link = link;
    this.#wall = wall;
    this.state = createStore<EngineState>(() => NOTHING_TOLD);
    this.#subscriptions = [link.onState((state) => this.#follow(state)), link.onEvent((event) => this.#receive(event))];
    this.#follow(link.state);
  }

  get now(): EngineState {
    return this.state.getState();
  }

  /** Whether a destination has its key. */
  hasKey(destination: string): boolean {
    return this.now.secrets.some(({ holder, stream_key }) => holder === destination && stream_key);
  }

  /**
   * Changes settings at once, and takes them back where the engine does not take them.
   * @throws {KliegError} then.
   */
  async changeSettings(changes: Partial<StudioSettings>): Promise<void> {
    const before = this.now.settings;
    if (before === undefined) throw new KliegError("unreachable", "The engine has not told its settings yet.");
    this.state.setState({ settings: { ...before, ...changes } });
    try {
      const { settings } = await this.link.request("change_settings", { settings: changes });
      this.state.setState({ settings });
    } catch (error) {
      const undone: StudioSettings = { ...(this.now.settings ?? before) };
      for (const name of Object.keys(changes) as (keyof StudioSettings)[]) restore(undone, before, name);
      this.state.setState({ settings: undone });
      throw error;
    }
  }

  /** Gives a destination its key. @throws {KliegError} where it could not be kept. */
  async setSecret(holder: string, kind: "stream_key" | "passphrase", secret: string): Promise<void> {
    const { secrets } = await this.link.request("set_secret", { holder, kind, secret });
    this.state.setState({ secrets });
  }

  /** @throws {KliegError} where they could not be forgotten. */
  async forgetSecrets(holder: string): Promise<void> {
    const { secrets } = await this.link.request("forget_secrets", { holder });
    this.state.setState({ secrets });
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }

  /** States are told anew by events after each opening; figures of before are none now. */
  #follow(linkState: LinkState): void {
    if (linkState.state === "open") {
      this.state.setState({ linked: true, linkState, welcome: linkState.welcome, health: undefined });
    } else this.state.setState({ linked: false, linkState, health: undefined });
  }

  #receive(event: StudioEvent): void {
    const told = this.#toldBy(event);
    if (told !== undefined) this.state.setState(told);
  }

  /** @returns undefined for events that are others': the show, the encoder, commands and notices. */
  #toldBy(event: StudioEvent): Partial<EngineState> | undefined {
    switch (event.event) {
      case "settings":
        return { settings: event.settings };
      case "secrets":
        return { secrets: event.secrets };
      case "broadcast": {
        const over = event.broadcast.state === "idle";
        return { broadcast: event.broadcast, ...(over ? { health: undefined, bitrate: undefined } : {}) };
      }
      case "program":
        return { program: event.program };
      case "recording":
        return { recording: event.recording };
      case "replay":
        return { replay: event.replay };
      case "guest_room":
        return { guestRoom: event.guest_room };
      case "health":
        return { health: event, healthAt: this.#wall() };
      case "video_bitrate":
        return { bitrate: { asked: event.bitrate, reason: event.reason } };
      case "update":
        return { update: { state: event.state, version: event.version } };
      default:
        return undefined;
    }
  }
}

function restore<Name extends keyof StudioSettings>(into: StudioSettings, from: StudioSettings, name: Name): void {
  into[name] = from[name];
}
