import type { Browser, BrowserContextOptions, CDPSession, Page } from "playwright-core";
import { readPictureClock } from "./picture-clock.ts";
import { until } from "./until.ts";

/** What the player says of itself, and what its video element does. */
export interface Watched {
  /** The player's `data-state`. */
  readonly stage: string;
  /** Seconds; NaN where it says none. */
  readonly latency: number;
  readonly following: boolean;
  /** What is on screen: `realtime` or `hls`. */
  readonly mode: string;
  /** Height of the rendition on screen, as the player says. */
  readonly rendition: string;
  /** Height of the frames that the element has. */
  readonly videoHeight: number;
  readonly currentTime: number;
  readonly paused: boolean;
  readonly muted: boolean;
  readonly volume: number;
  /** Times that playback halted by itself after it had begun, seeks apart. */
  readonly stalls: readonly Stall[];
}

export interface Stall {
  /** ISO 8601. */
  readonly at: string;
  /** Seconds. */
  readonly currentTime: number;
  readonly playbackRate: number;
  readonly buffered: readonly (readonly [number, number])[];
  /** How long it lasted; null while it does. */
  readonly ms: number | null;
}

/** In the page, before anything of its own: what is to be counted, and what must not happen. */
const WITNESS = `(() => {
  const witness = { stalls: [], violations: [] };
  window.kliegWitness = witness;
  const playing = new WeakSet();
  let stall;
  addEventListener("playing", ({ target }) => {
    playing.add(target);
    if (stall) stall.ms = Math.round(performance.now() - stall.since);
    stall = undefined;
  }, true);
  addEventListener("emptied", ({ target }) => { playing.delete(target); }, true);
  addEventListener("waiting", ({ target }) => {
    if (!playing.has(target) || target.seeking) return;
    const buffered = Array.from({ length: target.buffered.length }, (_, i) => [target.buffered.start(i), target.buffered.end(i)]);
    const { currentTime, playbackRate } = target;
    stall = { at: new Date().toISOString(), since: performance.now(), currentTime, playbackRate, buffered, ms: null };
    witness.stalls.push(stall);
  }, true);
  document.addEventListener("securitypolicyviolation", (event) => {
    witness.violations.push(event.violatedDirective + " " + event.blockedURI);
  });
})()`;

export interface WatchedPageOptions extends BrowserContextOptions {
  readonly url: string;
}

/** A page of the player in a browser context of its own, with everything that it complains of. */
export class WatchedPage implements AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings on the console, and exceptions that nobody caught. */
  readonly complaints: string[] = [];
  readonly #cdp: CDPSession;
  #loads = 0;

  private constructor(page: Page, cdp: CDPSession) {
    this.page = page;
    this.#cdp = cdp;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => this.complaints.push(`exception: ${error.stack ?? error.message}`));
    page.on("crash", () => this.complaints.push("the page crashed"));
    page.on("load", () => {
      this.#loads += 1;
    });
  }

  static async open(browser: Browser, options: WatchedPageOptions): Promise<WatchedPage> {
    const { url, ...contextOptions } = options;
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...contextOptions });
    const page = await context.newPage();
    await page.addInitScript({ content: WITNESS });
    await readPictureClock(page);
    const watched = new WatchedPage(page, await context.newCDPSession(page));
    await page.goto(url);
    return watched;
  }

  /** How often the page was loaded. */
  get loads(): number {
    return this.#loads;
  }

  now(): Promise<Watched> {
    return this.page.evaluate(() => {
      const player = document.querySelector<HTMLElement>(".player");
      const video = document.querySelector("video");
      return {
        stage: player?.dataset.state ?? "",
        latency: Number.parseFloat(player?.dataset.latency ?? ""),
        following: player?.dataset.following !== "false",
        mode: player?.dataset.mode ?? "",
        rendition: player?.dataset.rendition ?? "",
        videoHeight: video?.videoHeight ?? 0,
        currentTime: video?.currentTime ?? 0,
        paused: video?.paused ?? true,
        muted: video?.muted ?? false,
        volume: video?.volume ?? 0,
        stalls: (globalThis as unknown as { kliegWitness: { stalls: Stall[] } }).kliegWitness.stalls,
      };
    });
  }

  /** Resolves once the player is as wanted. */
  async becomes(what: string, wanted: (now: Watched) => boolean, timeoutMs = 20_000): Promise<Watched> {
    let last: Watched | undefined;
    return until(
      async () => {
        last = await this.now();
        return wanted(last) ? last : undefined;
      },
      { what, timeoutMs, diagnose: () => `${JSON.stringify(last)}\n${this.complaints.join("\n")}` },
    );
  }

  /** Resolves once the player is at this stage. */
  stage(stage: string, timeoutMs?: number): Promise<Watched> {
    return this.becomes(stage, (now) => now.stage === stage, timeoutMs);
  }

  /** Violations of the content security policy. */
  violations(): Promise<string[]> {
    return this.page.evaluate(
      () => (globalThis as unknown as { kliegWitness: { violations: string[] } }).kliegWitness.violations,
    );
  }

  /** @param bitrate bits/s towards the page; undefined for all that there is. */
  async throttle(bitrate: number | undefined): Promise<void> {
    await this.#cdp.send("Network.enable");
    await this.#cdp.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: bitrate === undefined ? -1 : bitrate / 8,
      uploadThroughput: -1,
    });
  }

  /** Role and name of everything in the accessibility tree that can be operated. */
  async controls(): Promise<{ role: string; name: string }[]> {
    const { nodes } = await this.#cdp.send("Accessibility.getFullAXTree");
    return nodes.flatMap(({ ignored, role, name }) =>
      !ignored && OPERABLE.has(role?.value) ? [{ role: role?.value, name: String(name?.value ?? "") }] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

const OPERABLE = new Set([
  "button",
  "checkbox",
  "combobox",
  "link",
  "menuitem",
  "menuitemcheckbox",
  "menuitemradio",
  "slider",
  "switch",
  "tab",
  "textbox",
]);
