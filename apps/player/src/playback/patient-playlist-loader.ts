import type {
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
  PlaylistLoaderContext,
} from "hls.js";

/**
 * How long an answer to a blocked request may take, ms: a server ends it within three target durations (RFC 8216bis §6.2.5.2), which
 * are at most 6 s each here. hls.js itself would give up within one.
 */
const BLOCKED_MS = 20_000;
/** The server's word that nothing was published in that time. */
const NOTHING_NEW = 503;
/** A server that blocks takes seconds to say so. One that says it at once is in trouble: after a few times, that is a fault. */
const AT_ONCE_MS = 1000;
const MOST_AT_ONCE = 3;

type Callbacks = LoaderCallbacks<PlaylistLoaderContext>;

/**
 * Loads playlists for hls.js, and asks again for as long as a blocked request ends without news. When the encoder is gone for a while,
 * every rendition's next part is thus asked for at the moment at which it is published; hls.js left alone would fall back to asking
 * every few seconds, for each rendition at another time.
 */
export class PatientPlaylistLoader implements Loader<PlaylistLoaderContext> {
  readonly #config: HlsConfig;
  #loader: Loader<LoaderContext>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #atOnce = 0;

  constructor(config: HlsConfig) {
    this.#config = config;
    this.#loader = new config.loader(config);
  }

  get context(): PlaylistLoaderContext | null {
    return this.#loader.context as PlaylistLoaderContext | null;
  }

  get stats(): LoaderStats {
    return this.#loader.stats;
  }

  load(context: PlaylistLoaderContext, configuration: LoaderConfiguration, callbacks: Callbacks): void {
    if (context.deliveryDirectives?.part === undefined) {
      this.#loader.load(context, configuration, callbacks as LoaderCallbacks<LoaderContext>);
      return;
    }
    const loadPolicy = { ...configuration.loadPolicy, maxTimeToFirstByteMs: BLOCKED_MS, maxLoadTimeMs: BLOCKED_MS };
    this.#loadBlocked(context, { ...configuration, loadPolicy, timeout: BLOCKED_MS }, callbacks);
  }

  abort(): void {
    this.#stop();
    this.#loader.abort();
  }

  destroy(): void {
    this.#stop();
    this.#loader.destroy();
  }

  getCacheAge(): number | null {
    return this.#loader.getCacheAge?.() ?? null;
  }

  getResponseHeader(name: string): string | null {
    return this.#loader.getResponseHeader?.(name) ?? null;
  }

  #loadBlocked(context: PlaylistLoaderContext, configuration: LoaderConfiguration, callbacks: Callbacks): void {
    const askedAt = performance.now();
    const patient: Callbacks = {
      ...callbacks,
      onError: (error, failed, details, stats) => {
        this.#atOnce = performance.now() - askedAt < AT_ONCE_MS ? this.#atOnce + 1 : 0;
        if (error.code !== NOTHING_NEW || this.#atOnce > MOST_AT_ONCE) {
          callbacks.onError(error, failed, details, stats);
          return;
        }
        const wait = this.#atOnce * AT_ONCE_MS;
        this.#timer = setTimeout(() => this.#again(context, configuration, callbacks), wait);
      },
    };
    this.#loader.load(context, configuration, patient as LoaderCallbacks<LoaderContext>);
  }

  #again(context: PlaylistLoaderContext, configuration: LoaderConfiguration, callbacks: Callbacks): void {
    // A loader loads once.
    this.#loader.destroy();
    this.#loader = new this.#config.loader(this.#config);
    this.#loadBlocked(context, configuration, callbacks);
  }

  #stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
