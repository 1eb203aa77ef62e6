import {
  type CaptureStatus,
  KliegError,
  PROGRAM_HEADER_BYTES,
  type ProgramFrame,
  readProgramFrame,
  STUDIO_CLOSE,
  STUDIO_MEDIA_BYTES,
  STUDIO_MESSAGE_BYTES,
  STUDIO_PROTOCOL,
  type StudioAnswer,
  type StudioEvent,
  StudioRequest,
  type StudioRequestOf,
  type StudioRequestType,
} from "@klieg/protocol";
import type { EnginePeer } from "./engine-peer.ts";

export type PageRole = StudioRequestOf<"hello">["role"];

/** What a session needs of the engine behind it. */
export interface SessionHost {
  /** @returns the answer's data. @throws {KliegError} */
  answer(session: EngineSession, request: StudioRequest): Promise<unknown>;
  /** The page was greeted: it can be told of events from now on. */
  greeted(session: EngineSession): void;
  /** A frame of the program, or a piece of an asset. @throws {KliegError} for what cannot be right. */
  media(session: EngineSession, frame: ProgramFrame): void;
  ended(session: EngineSession): void;
}

/** Requests of one page that may be under way at one time. */
const MAX_PENDING = 64;
/** Frames in a row that could not be right; then the page is not one of ours. */
const MAX_BAD_FRAMES = 100;

/** One page's connection: what comes from it is checked here, before anything believes it. */
export class EngineSession {
  readonly #peer: EnginePeer;
  readonly #host: SessionHost;
  #role: PageRole | undefined;
  #greeted = false;
  #open = true;
  #pending = 0;
  #badFrames = 0;

  constructor(peer: EnginePeer, host: SessionHost) {
    this.#peer = peer;
    this.#host = host;
  }

  /** Undefined before `hello`. */
  get role(): PageRole | undefined {
    return this.#role;
  }

  /** Whether it can be told of events. */
  get listens(): boolean {
    return this.#open && this.#greeted;
  }

  get open(): boolean {
    return this.#open;
  }

  /** A text message of the page; one that is no message of the contract is answered, or ends the connection. Never throws. */
  receive(text: string): void {
    if (!this.#open) return;
    if (text.length > STUDIO_MESSAGE_BYTES) {
      this.close(STUDIO_CLOSE.protocol, "a message is too large");
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.close(STUDIO_CLOSE.protocol, "a message is not JSON");
      return;
    }
    const parsed = StudioRequest.safeParse(message);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const words = issue === undefined ? "" : `: ${issue.path.map(String).join(".")} ${issue.message}`;
      this.#refuse(idOf(message), new KliegError("bad_request", `This cannot be asked${words.slice(0, 300)}.`));
      return;
    }
    void this.#answer(parsed.data);
  }

  /** A binary message of the page. Its memory belongs to the engine from then on. Never throws. */
  receiveMedia(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#open) return;
    if (!this.#greeted) {
      this.close(STUDIO_CLOSE.protocol, "the first message must be hello");
      return;
    }
    const frame = bytes.byteLength > STUDIO_MEDIA_BYTES + PROGRAM_HEADER_BYTES ? undefined : readProgramFrame(bytes);
    if (frame === undefined) {
      this.close(STUDIO_CLOSE.protocol, "not a frame of the program");
      return;
    }
    try {
      this.#host.media(this, frame);
      this.#badFrames = 0;
    } catch (error) {
      // One may be damaged; a page that sends nothing else has gone wrong, and is told so.
      this.#badFrames += 1;
      if (this.#badFrames === 1) this.tell({ event: "notice", ...KliegError.from(error).toBody() });
      if (!(error instanceof KliegError) || this.#badFrames >= MAX_BAD_FRAMES) {
        this.close(STUDIO_CLOSE.protocol, KliegError.from(error).message);
      }
    }
  }

  /** The carrier's connection is gone. Idempotent. */
  closed(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#host.ended(this);
  }

  /** Tells the page of something; before it was greeted it is told nothing. */
  tell(event: StudioEvent): void {
    if (this.listens) this.#peer.send(JSON.stringify(event));
  }

  /** How a capture of this page does. */
  tellCapture(status: CaptureStatus): void {
    this.tell({ event: "capture", status });
  }

  /** A message of `studio-capture.ts`, whose memory belongs to the carrier from then on. */
  sendMedia(message: Uint8Array<ArrayBuffer>): void {
    if (this.listens) this.#peer.sendMedia(message);
  }

  /** Bytes of media that wait to leave for the page. */
  get behind(): number {
    return this.#peer.behind;
  }

  /** Ends the connection. Idempotent. @param code of `STUDIO_CLOSE`, or one of WebSocket's. */
  close(code: number, reason: string): void {
    if (!this.#open) return;
    // The reason of a WebSocket's close has 123 bytes at most.
    this.#peer.close(code, reason.slice(0, 100));
    this.closed();
  }

  async #answer(request: StudioRequest): Promise<void> {
    const { id, type } = request;
    if (!this.#maySay(id, type)) return;
    this.#pending += 1;
    try {
      if (type === "hello") this.#role = request.role;
      const data = await this.#host.answer(this, request);
      this.#send({ id, ok: true, data });
      if (type === "hello" && this.#open) {
        this.#greeted = true;
        this.#host.greeted(this);
      }
    } catch (error) {
      this.#refuse(id, KliegError.from(error));
    } finally {
      this.#pending -= 1;
    }
  }

  /** The first must be hello, there is one, and not too many are under way. */
  #maySay(id: number, type: StudioRequestType): boolean {
    if (type === "hello" ? this.#role !== undefined : !this.#greeted) {
      const words = type === "hello" ? "There is one hello." : "The first message must be hello.";
      this.#refuse(id, new KliegError("bad_request", words));
      return false;
    }
    if (this.#pending >= MAX_PENDING) {
      this.#refuse(id, new KliegError("rate_limited", "Too many requests are under way."));
      return false;
    }
    return true;
  }

  #refuse(id: number | null, error: KliegError): void {
    this.#send({ id, ok: false, ...error.toBody() });
  }

  #send(answer: StudioAnswer): void {
    if (this.#open) this.#peer.send(JSON.stringify(answer));
  }
}

/** Refuses a `hello` of another version, for whoever answers it. @throws {KliegError} `bad_request`. */
export function requireProtocol(protocol: number): void {
  if (protocol === STUDIO_PROTOCOL) return;
  throw new KliegError("bad_request", "This page is of another version than the studio's engine: load it again.");
}

function idOf(message: unknown): number | null {
  const id = typeof message === "object" && message !== null && "id" in message ? message.id : undefined;
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : null;
}
