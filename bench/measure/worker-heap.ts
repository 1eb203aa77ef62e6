import type { CDPSession, Page } from "playwright-core";

/** Answers of a worker come within this, or not at all, ms: one that ends meanwhile gives none. */
const ANSWER_MS = 5000;

/** JavaScript heaps of a page, MiB: its own, and all of its dedicated workers' together; NaN where one did not answer. */
export interface PageHeaps {
  readonly page: number;
  readonly workers: number;
}

/** Asks a page and its dedicated workers what their heaps hold after the collector's last run, by the DevTools protocol. */
export class HeapWatch implements AsyncDisposable {
  readonly #session: CDPSession;
  readonly #workers = new Set<string>();
  #ids = 0;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async open(page: Page): Promise<HeapWatch> {
    const session = await page.context().newCDPSession(page);
    const watch = new HeapWatch(session);
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worker") watch.#workers.add(sessionId);
    });
    session.on("Target.detachedFromTarget", ({ sessionId }) => watch.#workers.delete(sessionId));
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return watch;
  }

  async take(): Promise<PageHeaps> {
    const { usedSize } = await this.#session.send("Runtime.getHeapUsage");
    const workers = await Promise.all([...this.#workers].map((worker) => this.#ask(worker)));
    return { page: usedSize / 2 ** 20, workers: workers.reduce((sum, size) => sum + size, 0) / 2 ** 20 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.detach();
  }

  /** Bytes of a worker's heap; NaN where it does not answer. */
  #ask(sessionId: string): Promise<number> {
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve } = Promise.withResolvers<number>();
    const listen = (event: { sessionId: string; message: string }) => {
      if (event.sessionId !== sessionId) return;
      const answer = JSON.parse(event.message) as { id?: number; result?: { usedSize?: number } };
      if (answer.id !== id) return;
      resolve(answer.result?.usedSize ?? Number.NaN);
    };
    this.#session.on("Target.receivedMessageFromTarget", listen);
    const timer = setTimeout(() => resolve(Number.NaN), ANSWER_MS);
    this.#session
      .send("Target.sendMessageToTarget", {
        sessionId,
        message: JSON.stringify({ id, method: "Runtime.getHeapUsage" }),
      })
      // It has just ended.
      .catch(() => resolve(Number.NaN));
    return promise.finally(() => {
      clearTimeout(timer);
      this.#session.off("Target.receivedMessageFromTarget", listen);
    });
  }
}
