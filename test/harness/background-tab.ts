import { type Browser, type CDPSession, chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.ts";

/**
 * A tab of Chromium that can go to the background, where the browser slows its timers down as it does for people. The library
 * that drives browsers keeps its pages in front and at full speed, so this one is driven by the DevTools protocol alone.
 */
export class BackgroundTab implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #session: CDPSession;
  readonly #contextId: string;
  readonly #tab: string;
  readonly #waiting = new Map<number, (answer: Evaluated) => void>();
  #next = 1;

  private constructor(browser: Browser, session: CDPSession, contextId: string, tab: string) {
    this.#browser = browser;
    this.#session = session;
    this.#contextId = contextId;
    this.#tab = tab;
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const answer = JSON.parse(message) as Evaluated;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async open(url: string, args: readonly string[]): Promise<BackgroundTab> {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      ignoreDefaultArgs: [
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
      ],
      args: ["--no-sandbox", "--disable-gpu", ...args],
    });
    const session = await browser.newBrowserCDPSession();
    const { browserContextId } = await session.send("Target.createBrowserContext");
    const { targetId } = await session.send("Target.createTarget", { url, browserContextId });
    const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
    return new BackgroundTab(browser, session, browserContextId, sessionId);
  }

  /** Evaluates an expression in the page; a promise is waited for. @throws Error with what the page threw. */
  async evaluate<T>(expression: string): Promise<T> {
    const id = this.#next;
    this.#next += 1;
    const params = { expression, awaitPromise: true, returnByValue: true };
    const answered = new Promise<Evaluated>((resolve) => void this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method: "Runtime.evaluate", params });
    await this.#session.send("Target.sendMessageToTarget", { sessionId: this.#tab, message });
    const { result } = await answered;
    if (result?.exceptionDetails !== undefined) throw new Error(JSON.stringify(result.exceptionDetails));
    return result?.result?.value as T;
  }

  /** Opens another tab before this one. */
  async hide(): Promise<void> {
    await this.#session.send("Target.createTarget", { url: "about:blank", browserContextId: this.#contextId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

interface Evaluated {
  readonly id: number;
  readonly result?: { readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: unknown };
}
