import type { CDPSession, Page } from "playwright-core";

/** Answers of a worker come within this, or are left out, ms. */
const ANSWER_MS = 5000;

/** JavaScript heaps of a page, MiB: its own, and all of its dedicated workers' together. */
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

  /** Bytes of a worker's heap. @throws where it does not answer. */
  #ask(sessionId: string): Promise<number> {
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const listen = (event: { sessionId: string; message: string }) => {
      if (event.sessionId !== sessionId) return;
      const answer = JSON.parse(event.message) as { id?: number; result?: { usedSize?: number } };
      if (answer.id !== id) return;
      const size = answer.result?.usedSize;
      if (size === undefined) reject(new Error(`a worker told no heap: ${event.message}`));
      else resolve(size);
    };
    this.#session.on("Target.receivedMessageFromTarget", listen);
    const timer = setTimeout(() => reject(new Error("a worker did not tell its heap")), ANSWER_MS);
    this.#session
      .send("Target.sendMessageToTarget", {
        sessionId,
        message: JSON.stringify({ id, method: "Runtime.getHeapUsage" }),
      })
      .catch(reject);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#session.off("Target.receivedMessageFromTarget", listen);
    });
  }
}
