import type { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import type { DeliveryDirectives } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { RenditionEdge } from "./rendition-edge.ts";
import type { SegmentArchive } from "./segment-archive.ts";

/** Bytes to answer with: in memory, or still to be opened. */
export type MediaBody =
  | { readonly chunks: readonly Uint8Array[]; readonly byteLength: number }
  | {
      readonly byteLength: number;
      /** @throws {KliegError} `not_found`, `storage_unavailable`. The caller consumes or destroys it. */
      open(range: { start: number; end: number } | undefined): Promise<Readable>;
    };

export interface OriginAnswer {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag?: string;
  readonly body: MediaBody;
  /** The body packed with gzip, made at most once a body; absent where packing is no use. */
  readonly gzip?: () => Buffer;
}

/** Called once, at once or later. */
export type Settle = (answer: OriginAnswer | KliegError) => void;

const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
/** Addresses of media never change what they name. */
const IMMUTABLE = "public, max-age=31536000, immutable";
/** What is asked for without a blocking reload is stale as soon as the next part is there. */
const FRESH = "public, max-age=1";

/**
 * One stream's origin (DLV1): what is asked for by name, answered from the live edge or the archive. An `insider`, its owner
 * with the preview's token, has also what viewers are not shown: what was sent just before it became public.
 */
export class Origin {
  readonly #edges: ReadonlyMap<string, RenditionEdge>;
  readonly #archive: SegmentArchive;
  readonly #renderMultivariant: (base: string, insider: boolean) => string;
  readonly #targetDuration: number;
  readonly #packed = new WeakMap<Buffer, Buffer>();

  constructor(options: {
    edges: ReadonlyMap<string, RenditionEdge>;
    archive: SegmentArchive;
    targetDuration: number;
    /**
     * @param base what stands before the address of every rendition.
     * @param insider whether its own owner asks.
     */
    renderMultivariant: (base: string, insider: boolean) => string;
  }) {
    this.#edges = options.edges;
    this.#archive = options.archive;
    this.#targetDuration = options.targetDuration;
    this.#renderMultivariant = options.renderMultivariant;
  }

  /** @throws {KliegError} `stream_not_live` while nothing can be played. */
  multivariant(base: string, insider = false): OriginAnswer {
    const text = Buffer.from(this.#renderMultivariant(base, insider));
    return this.#playlistAnswer(text, FRESH);
  }

  /** A media playlist; a blocking reload settles when what it waits for is published. */
  playlist(rendition: string, wanted: DeliveryDirectives, settle: Settle, insider = false): Disposable | undefined {
    const edge = this.#edge(rendition);
    const { playlist } = edge;
    const decision = playlist.resolve(wanted);
    const blocking = wanted.msn !== undefined && !playlist.ended;
    // Apple's advice for caches: a blocking answer keeps for six target durations, it will not be asked for again.
    const cacheControl = blocking ? `public, max-age=${this.#targetDuration * 6}` : FRESH;
    switch (decision.kind) {
      case "bad":
        throw new KliegError("bad_request", "_HLS_part needs _HLS_msn, and both are whole numbers.");
      case "too_far":
        throw new KliegError("blocking_reload_too_far", "That lies too far ahead of the live edge.");
      case "ready":
        if (!(insider ? edge.playable : edge.shown)) throw notYet();
        settle(
          this.#playlistAnswer(playlist.render({ skip: wanted.skip }), cacheControl, playlistTag(edge, wanted.skip)),
        );
        return undefined;
      case "wait":
        return edge.wait(
          "playlist",
          () => playlist.contains(decision.msn, decision.part),
          decision.deadlineMs,
          (timedOut) => {
            if (timedOut) settle(new KliegError("blocking_reload_timeout", "Nothing new was published in time."));
            // It may have become public in the meantime, and then begins anew.
            else if (!(insider || edge.firstShown === 0 || edge.shown)) settle(notYet());
            else {
              settle(
                this.#playlistAnswer(
                  playlist.render({ skip: wanted.skip }),
                  playlist.ended ? FRESH : cacheControl,
                  playlistTag(edge, wanted.skip),
                ),
              );
            }
          },
        );
    }
  }

  /** A whole segment. */
  segment(rendition: string, msn: number, settle: Settle, insider = false): undefined {
    const found = this.#edge(rendition).segment(msn, insider);
    if (found === undefined) throw new KliegError("not_found", "There is no such segment.");
    if (found.in === "memory") {
      settle({ contentType: contentTypeOf(rendition), cacheControl: IMMUTABLE, body: found });
      return;
    }
    this.#archive.size(rendition, msn).then(
      (byteLength) => {
        if (byteLength === undefined) {
          settle(gone());
          return;
        }
        const open = async (range: { start: number; end: number } | undefined) => {
          const body = await this.#archive.open(rendition, msn, range);
          if (body === undefined) throw gone();
          return body;
        };
        settle({ contentType: contentTypeOf(rendition), cacheControl: IMMUTABLE, body: { byteLength, open } });
      },
      (error: unknown) => settle(KliegError.from(error)),
    );
  }

  /** A part; the one that the preload hint names settles when it is there. */
  part(rendition: string, serial: number, settle: Settle, insider = false): Disposable | undefined {
    const edge = this.#edge(rendition);
    if (!(insider || edge.showsPart(serial))) throw new KliegError("not_found", "There is no such part.");
    const answer = (bytes: Uint8Array): OriginAnswer => ({
      contentType: contentTypeOf(rendition),
      cacheControl: IMMUTABLE,
      body: { chunks: [bytes], byteLength: bytes.byteLength },
    });
    const bytes = edge.part(serial);
    if (bytes !== undefined) {
      settle(answer(bytes));
      return undefined;
    }
    if (!edge.isHinted(serial)) throw new KliegError("not_found", "There is no such part.");
    return edge.wait(
      "part",
      () => !edge.isHinted(serial),
      this.#targetDuration * 3000,
      (timedOut) => {
        const made = edge.part(serial);
        if (made !== undefined) settle(answer(made));
        else if (timedOut) settle(new KliegError("blocking_reload_timeout", "The part was not made in time."));
        else settle(new KliegError("not_found", "The part was never made."));
      },
    );
  }

  init(rendition: string, number: number, settle: Settle): undefined {
    const bytes = this.#edge(rendition).init(number);
    if (bytes === undefined) throw new KliegError("not_found", "There is no such init segment.");
    settle({
      contentType: contentTypeOf(rendition),
      cacheControl: IMMUTABLE,
      body: { chunks: [bytes], byteLength: bytes.byteLength },
    });
  }

  #edge(rendition: string): RenditionEdge {
    const edge = this.#edges.get(rendition);
    if (edge === undefined) throw new KliegError("not_found", "There is no such rendition.");
    return edge;
  }

  #playlistAnswer(bytes: Buffer, cacheControl: string, etag?: string): OriginAnswer {
    return {
      contentType: PLAYLIST_TYPE,
      cacheControl,
      ...(etag === undefined ? {} : { etag }),
      body: { chunks: [bytes], byteLength: bytes.byteLength },
      gzip: () => {
        let packed = this.#packed.get(bytes);
        if (packed === undefined) {
          packed = gzipSync(bytes, { level: 4 });
          this.#packed.set(bytes, packed);
        }
        return packed;
      },
    };
  }
}

/** Weak: rendition reports may differ between two answers of one version. */
function playlistTag(edge: RenditionEdge, skip: boolean): string {
  return `W/"${edge.playlist.version}${skip ? "d" : ""}"`;
}

function contentTypeOf(rendition: string): string {
  return rendition.startsWith("audio") ? "audio/mp4" : "video/mp4";
}

function gone(): KliegError {
  return new KliegError("not_found", "This segment has left the window.");
}

function notYet(): KliegError {
  return new KliegError("stream_not_live", "Nothing can be played yet.");
}
