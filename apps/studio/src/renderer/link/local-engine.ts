import { type Clock, systemClock } from "@klieg/base";
import {
  IDLE_PROGRAM,
  IDLE_RECORDING,
  IDLE_REPLAY,
  KliegError,
  PROGRAM_KIND,
  readProgramFrame,
  STUDIO_CLOSE,
  STUDIO_MEDIA_BYTES,
  STUDIO_PROTOCOL,
  type StudioAnswerOf,
  type StudioAsset,
  type StudioEvent,
  StudioRequest,
  type StudioRequestOf,
  type StudioRequestType,
} from "@klieg/protocol";
import type { Destination } from "../../document/destination.ts";
import { DocumentError, readDocument, writeDocument } from "../../document/document-file.ts";
import { newId } from "../../document/identity.ts";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import { localStrings } from "../strings/local.ts";
import { sceneStrings } from "../strings/scenes.ts";
import { KliegDoor } from "./local/klieg-door.ts";
import { LocalBroadcast } from "./local/local-broadcast.ts";
import { LocalGuests } from "./local/local-guests.ts";
import { LocalMemory } from "./local/local-memory.ts";
import { IndexedStore, type LocalStore } from "./local/local-store.ts";
import type { OpenTransport, StudioTransport } from "./studio-transport.ts";

export interface LocalEngineOptions {
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** Opens where the show is kept; by default the browser's IndexedDB. */
  readonly openStore?: () => Promise<LocalStore>;
  /** Where settings and secrets are kept; by default the browser's storage of this page and this tab. */
  readonly memory?: LocalMemory;
}

type Answers = { readonly [T in StudioRequestType]: (request: StudioRequestOf<T>) => Promise<StudioAnswerOf<T>> };

/** A file that is being added. */
interface Upload {
  readonly asset: StudioAsset;
  readonly number: number;
  readonly pieces: Uint8Array<ArrayBuffer>[];
  received: number;
}

/** Files of one show, bytes: a tab has no room for films. */
const MAX_ASSET_BYTES = 512 * 1024 * 1024;
const MAX_UPLOADS = 4;

/**
 * The studio's engine inside the page itself (STU3), for a studio that a backend serves at `/studio/`: it publishes by WHIP,
 * keeps the show in the browser, and stream keys until the tab is closed. It says of everything else that it needs the app.
 * It speaks the same contract as the real one, over a transport that leads nowhere but here.
 */
export class LocalEngine implements Disposable {
  readonly #clock: Clock;
  readonly #fetch: typeof fetch | undefined;
  readonly #openStore: () => Promise<LocalStore>;
  readonly #memory: LocalMemory;
  readonly #broadcast: LocalBroadcast;
  readonly #guests: LocalGuests;
  readonly #uploads = new Map<string, Upload>();
  readonly #assets = new Map<string, { readonly asset: StudioAsset; readonly url: string }>();
  #store: Promise<LocalStore> | undefined;
  #document: StudioDocument | undefined;
  #page: LocalTransport | undefined;
  #greeted = false;
  #nextUpload = 1;

  constructor(options: LocalEngineOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#fetch = options.fetch;
    this.#openStore = options.openStore ?? (() => IndexedStore.open());
    this.#memory = options.memory ?? new LocalMemory(localStorage, sessionStorage);
    this.#broadcast = new LocalBroadcast({
      clock: this.#clock,
      doorOf: (destination) => this.#doorOf(destination),
      tell: (event) => this.#tell(event),
    });
    this.#guests = new LocalGuests({
      clock: this.#clock,
      memory: this.#memory,
      destinations: () => this.#destinations(),
      doorOf: (destination) => this.#doorOf(destination),
      tell: (event) => this.#tell(event),
    });
  }

  /** Connects the page; one that was connected before is told that it was replaced. */
  readonly open: OpenTransport = async (signal) => {
    signal.throwIfAborted();
    this.#page?.end(STUDIO_CLOSE.replaced, "another page took the stage");
    const page = new LocalTransport({
      onText: (text) => void this.#receive(page, text),
      onBytes: (bytes) => this.#receiveMedia(bytes),
      onClose: () => {
        if (this.#page !== page) return;
        this.#page = undefined;
        this.#guests.pageGone();
      },
    });
    this.#page = page;
    this.#guests.pageGone();
    this.#greeted = false;
    return page;
  };

  /** Address of a file of the show, once the show is open. @param id of the asset. */
  assetUrl(id: string): string {
    return this.#assets.get(id)?.url ?? `assets/${id}`;
  }

  /** What is on air is left to its server, which ends it when nothing comes any more. Idempotent. */
  [Symbol.dispose](): void {
    this.#page?.end(1001, "closed");
    this.#page = undefined;
    this.#broadcast[Symbol.dispose]();
    this.#guests[Symbol.dispose]();
    this.#uploads.clear();
    for (const { url } of this.#assets.values()) URL.revokeObjectURL(url);
    this.#assets.clear();
    void this.#store?.then(
      (store) => store.close(),
      () => undefined,
    );
    this.#store = undefined;
  }

  async #receive(page: LocalTransport, text: string): Promise<void> {
    let id: number | null = null;
    try {
      const value = jsonOf(text);
      id = idOf(value);
      const request = StudioRequest.safeParse(value);
      if (!request.success) throw new KliegError("bad_request", localStrings.notARequest);
      if (!this.#greeted && request.data.type !== "hello") throw new KliegError("bad_request", localStrings.helloFirst);
      const answer = this.#answers[request.data.type] as (request: StudioRequest) => Promise<unknown>;
      const data = await answer(request.data);
      page.tell({ id: request.data.id, ok: true, data });
      if (request.data.type === "hello") this.#tellAll();
    } catch (error) {
      const problem = KliegError.from(error);
      if (problem.code === "internal") console.error("Klieg: a request failed:", problem.cause);
      page.tell({ id, ok: false, ...problem.toBody() });
    }
  }

  readonly #answers: Answers = {
    hello: async ({ protocol }) => {
      if (protocol !== STUDIO_PROTOCOL) throw new KliegError("bad_request", localStrings.pageIsOld);
      this.#greeted = true;
      return {
        protocol: STUDIO_PROTOCOL,
        version: "browser",
        host: "browser",
        platform: "browser",
        cores: navigator.hardwareConcurrency,
        ffmpeg: null,
        secrets: "session",
      };
    },
    open_show: () => this.#openShow(),
    save_show: async ({ document }) => {
      const parsed = StudioDocument.safeParse(document);
      if (!parsed.success) throw new KliegError("bad_request", parsed.error.issues[0]?.message ?? "not a show");
      await (await this.#opened()).writeShow(writeDocument(parsed.data));
      this.#document = parsed.data;
      return { saved_at: this.#clock.wall() };
    },
    change_settings: async ({ settings: changes }) => {
      const settings = this.#memory.changeSettings(changes);
      this.#tell({ event: "settings", settings });
      return { settings };
    },
    set_secret: async ({ holder, kind, secret }) => {
      this.#memory.setSecret(holder, kind, secret);
      return this.#tellSecrets();
    },
    forget_secrets: async ({ holder }) => {
      this.#memory.forgetSecrets(holder);
      return this.#tellSecrets();
    },
    open_capture: () => needsApp("streams"),
    close_capture: async () => ({}),
    list_capture_devices: async () => ({ devices: [] }),
    begin_asset: async ({ name, media_type, size }) => {
      if (size > MAX_ASSET_BYTES) throw new KliegError("payload_too_large", localStrings.noRoom);
      if (this.#uploads.size >= MAX_UPLOADS) throw new KliegError("overloaded", localStrings.noUpload);
      const number = this.#nextUpload++ % 0x1_0000;
      const asset = { id: newId(), name, media_type, size };
      this.#uploads.set(asset.id, { asset, number, pieces: [], received: 0 });
      return { asset_id: asset.id, upload: number };
    },
    finish_asset: ({ asset_id }) => this.#finishAsset(asset_id),
    remove_asset: async ({ asset_id }) => {
      if (!this.#uploads.delete(asset_id)) {
        await (await this.#opened()).removeAsset(asset_id);
        URL.revokeObjectURL(this.#assets.get(asset_id)?.url ?? "");
        this.#assets.delete(asset_id);
      }
      return {};
    },
    check_backend: async ({ url }) => {
      const base = new URL(url).origin;
      const door = this.#door(base, undefined);
      const [server, { channels }] = await Promise.all([door.server(), door.channels()]);
      return {
        backend: {
          url: base,
          version: server.version,
          webrtc: server.webrtc,
          channels: channels.map(({ name, title, state }) => ({ name, title, live: state === "live" })),
        },
      };
    },
    check_destination: async ({ destination_id }) => {
      const destination = this.#destinations().find(({ id }) => id === destination_id);
      if (destination === undefined) throw new KliegError("not_found", localStrings.noSuchDestination);
      if (destination.kind !== "klieg" || destination.protocol !== "whip") {
        throw new KliegError("not_supported", localStrings.needsApp.protocol);
      }
      const door = this.#doorOf(destination);
      const [{ webrtc }, { channel, watch }] = await Promise.all([door.server(), door.checkKey()]);
      if (!webrtc) throw new KliegError("webrtc_unavailable", localStrings.noWebrtc);
      if (destination.channel !== "" && destination.channel !== channel) {
        throw new KliegError("forbidden", localStrings.wrongChannel(channel));
      }
      return { channel, watch_url: watch };
    },
    list_encoders: async () => ({ encoders: [] }),
    test_encoder: () => needsApp("encoders"),
    test_upload: () => needsApp("upload"),
    start_broadcast: async (asked) => {
      const destinations = this.#destinations().filter(({ enabled }) => enabled);
      const broadcast = await this.#broadcast.start(asked, destinations);
      const { title, category, visibility } = broadcast;
      const settings = this.#memory.changeSettings({
        last_title: title,
        last_category: category,
        last_visibility: visibility,
      });
      this.#tell({ event: "settings", settings });
      return { broadcast };
    },
    go_public: async () => {
      await this.#broadcast.goPublic();
      return {};
    },
    change_broadcast: async (change) => ({ broadcast: await this.#broadcast.change(change) }),
    stop_broadcast: async () => {
      await this.#broadcast.stop();
      return {};
    },
    retry_destination: async ({ destination_id }) => {
      await this.#broadcast.retry(destination_id);
      return {};
    },
    stop_destination: async ({ destination_id }) => {
      await this.#broadcast.stopDestination(destination_id);
      return {};
    },
    whip_offer: ({ destination_id, sdp }) => this.#broadcast.offer(destination_id, sdp),
    whip_patch: async ({ session, fragment, restart }) => ({
      fragment: await this.#broadcast.patch(session, fragment, restart),
    }),
    whip_end: async ({ session }) => {
      await this.#broadcast.endSession(session);
      return {};
    },
    start_recording: () => needsApp("recording"),
    stop_recording: () => needsApp("recording"),
    list_recordings: () => needsApp("recording"),
    arm_replay: ({ seconds }) => (seconds === 0 ? Promise.resolve({ replay: IDLE_REPLAY }) : needsApp("replay")),
    save_replay: () => needsApp("replay"),
    open_guest_room: (request) => this.#guests.answers.open_guest_room(request),
    close_guest_room: (request) => this.#guests.answers.close_guest_room(request),
    renew_guest_invite: (request) => this.#guests.answers.renew_guest_invite(request),
    open_room_wire: (request) => this.#guests.answers.open_room_wire(request),
    send_to_room: (request) => this.#guests.answers.send_to_room(request),
    close_room_wire: (request) => this.#guests.answers.close_room_wire(request),
  };

  async #openShow(): Promise<StudioAnswerOf<"open_show">> {
    const store = await this.#opened();
    const text = await store.readShow();
    let problem: string | null = null;
    let document = newDocument(sceneStrings.firstName);
    if (text !== undefined) {
      try {
        document = readDocument(text);
      } catch (error) {
        if (!(error instanceof DocumentError)) throw error;
        await store.keepDamaged(text);
        problem = localStrings.showDamaged(error.message);
      }
    }
    this.#document = document;
    for (const { asset, blob } of await store.assets()) this.#keep(asset, blob);
    const assets = [...this.#assets.values()].map(({ asset }) => asset);
    return { document, problem, secrets: this.#memory.secretHolders(), assets };
  }

  async #finishAsset(id: string): Promise<StudioAnswerOf<"finish_asset">> {
    const upload = this.#uploads.get(id);
    if (upload === undefined) throw new KliegError("not_found", localStrings.noUpload);
    this.#uploads.delete(id);
    const { asset, pieces, received } = upload;
    if (received !== asset.size) throw new KliegError("bad_request", localStrings.uploadShort);
    const blob = new Blob(pieces, { type: asset.media_type });
    await (await this.#opened()).putAsset({ asset, blob });
    this.#keep(asset, blob);
    return { asset };
  }

  #keep(asset: StudioAsset, blob: Blob): void {
    if (!this.#assets.has(asset.id)) this.#assets.set(asset.id, { asset, url: URL.createObjectURL(blob) });
  }

  /** Pieces of files come in their order; the program's media is none of ours. */
  #receiveMedia(message: Uint8Array<ArrayBuffer>): void {
    if (message.byteLength > STUDIO_MEDIA_BYTES || message[0] !== PROGRAM_KIND.asset) return;
    const frame = readProgramFrame(message);
    const upload = [...this.#uploads.values()].find(({ number }) => number === frame?.upload);
    if (frame === undefined || upload === undefined || frame.timestamp !== upload.received) return;
    if (upload.received + frame.data.byteLength > upload.asset.size) return;
    upload.pieces.push(frame.data);
    upload.received += frame.data.byteLength;
  }

  #opened(): Promise<LocalStore> {
    this.#store ??= this.#openStore().catch((error: unknown) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  #destinations(): readonly Destination[] {
    return this.#document?.destinations ?? [];
  }

  #doorOf(destination: Destination): KliegDoor {
    const key = this.#memory.secret(destination.id, "stream_key");
    if (key === undefined) throw new KliegError("stream_key_missing", localStrings.noKey);
    return this.#door(new URL(destination.url).origin, key);
  }

  #door(url: string, key: string | undefined): KliegDoor {
    return new KliegDoor(url, key, this.#fetch);
  }

  /** All that a page mirrors, right after its greeting. */
  #tellAll(): void {
    this.#tell({ event: "settings", settings: this.#memory.settings });
    this.#tellSecrets();
    this.#tell({ event: "broadcast", broadcast: this.#broadcast.state });
    this.#tell({ event: "program", program: IDLE_PROGRAM });
    this.#tell({ event: "recording", recording: IDLE_RECORDING });
    this.#tell({ event: "replay", replay: IDLE_REPLAY });
    this.#guests.tellAll();
  }

  #tellSecrets(): StudioAnswerOf<"set_secret"> {
    const secrets = this.#memory.secretHolders();
    this.#tell({ event: "secrets", secrets });
    return { secrets };
  }

  #tell(event: StudioEvent): void {
    if (this.#greeted) this.#page?.tell(event);
  }
}

interface Hears {
  readonly onText: (text: string) => void;
  readonly onBytes: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly onClose: () => void;
}

/** Both ends in one page: nothing waits, and what is said is heard in a turn of its own. */
class LocalTransport implements StudioTransport {
  readonly buffered = 0;
  onMessage: ((text: string) => void) | undefined;
  onMedia: ((message: Uint8Array<ArrayBuffer>) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  readonly #hears: Hears;
  #closed = false;

  constructor(hears: Hears) {
    this.#hears = hears;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    if (typeof message === "string") queueMicrotask(() => this.#hears.onText(message));
    else this.#hears.onBytes(message);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#hears.onClose();
  }

  /** What the engine says. */
  tell(message: object): void {
    const text = JSON.stringify(message);
    queueMicrotask(() => {
      if (!this.#closed) this.onMessage?.(text);
    });
  }

  /** The engine closes. */
  end(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose?.(code, reason);
  }
}

function needsApp(what: keyof typeof localStrings.needsApp): Promise<never> {
  return Promise.reject(new KliegError("not_supported", localStrings.needsApp[what]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KliegError("bad_request", localStrings.notARequest);
  }
}

function idOf(value: unknown): number | null {
  const id = typeof value === "object" && value !== null ? (value as { id?: unknown }).id : undefined;
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : null;
}
