import type { PreviewAccess } from "@klieg/protocol";

/** The addresses that the backend gives out, as the outside reaches it. */
export interface AddressBook {
  /** Scheme, host and port of the HTTP door, without a slash at the end. */
  readonly http: string;
  /** Host that encoders reach; in brackets where it is IPv6. */
  readonly ingestHost: string;
  readonly rtmpPort: number;
  readonly rtmpsPort: number | undefined;
  readonly srtPort: number;
}

export class Addresses {
  readonly #book: AddressBook;

  constructor(book: AddressBook) {
    this.#book = book;
  }

  get http(): string {
    return this.#book.http;
  }

  /** What OBS calls "Server". */
  get rtmp(): string {
    const { ingestHost, rtmpPort } = this.#book;
    return `rtmp://${ingestHost}${rtmpPort === 1935 ? "" : `:${rtmpPort}`}/live`;
  }

  get rtmps(): string | undefined {
    const { ingestHost, rtmpsPort } = this.#book;
    return rtmpsPort === undefined ? undefined : `rtmps://${ingestHost}:${rtmpsPort}/live`;
  }

  /** @param key the stream key, or a placeholder. */
  srt(key: string): string {
    return `srt://${this.#book.ingestHost}:${this.#book.srtPort}?streamid=${key}`;
  }

  /** Where WebRTC publishers post their offer, the stream key as bearer token. */
  get whip(): string {
    return `${this.#book.http}/v1/whip`;
  }

  /** Path of a channel's WHEP endpoint. */
  whepPath(channel: string): string {
    return `/v1/whep/${channel}`;
  }

  watch(channel: string): string {
    return `${this.#book.http}/watch/${channel}`;
  }

  /** How the owner of a hidden stream watches it. @param whep whether there is WebRTC. */
  preview(channel: string, token: string, whep: boolean): PreviewAccess {
    return {
      token,
      watch: `${this.watch(channel)}?preview=${token}`,
      hls: `/v1/previews/${token}/manifest.m3u8`,
      whep: whep ? `${this.whepPath(channel)}?preview=${token}` : null,
    };
  }

  /** Whole address of a room's page for whoever has the invite; a fragment stays in the browser. */
  roomInvite(roomId: string, token: string): string {
    return `${this.#book.http}/room/${roomId}#invite=${token}`;
  }

  /** Path of a stream's multivariant playlist. */
  manifestPath(streamId: string): string {
    return `/v1/streams/${streamId}/manifest.m3u8`;
  }

  /** Path of a channel's stable playlist address. */
  livePath(channel: string): string {
    return `/v1/channels/${channel}/live.m3u8`;
  }
}
