import { KliegError } from "@klieg/protocol";
import type { PayloadLayout } from "./payload-layout.ts";
import { stageEnded } from "./sfu-error.ts";
import type { SfuNode } from "./sfu-node.ts";
import type { SfuWorker } from "./sfu-worker.ts";

/** More layouts of payload types than all browsers together have. */
const MAX_LAYOUTS = 48;

/** One worker's router for one layout of payload types. */
interface LayoutNode {
  readonly worker: SfuWorker;
  readonly opening: Promise<SfuNode>;
  users: number;
}

/** The routers of a stage: one on each worker that it uses, and one there for each layout of payload types of its peers. */
export class StageNodes {
  readonly #nodes = new Map<SfuWorker, Promise<SfuNode>>();
  /** By worker and layout. */
  readonly #layouts = new Map<string, LayoutNode>();
  #closed = false;

  /** Workers that the stage uses, first come first. */
  get workers(): Set<SfuWorker> {
    const workers = new Set(this.#nodes.keys());
    for (const { worker } of this.#layouts.values()) workers.add(worker);
    return workers;
  }

  /** The stage's own router on `worker`. @throws Error where the worker cannot be started; {KliegError} `gone`. */
  node(worker: SfuWorker): Promise<SfuNode> {
    let opening = this.#nodes.get(worker);
    if (opening === undefined) {
      opening = this.#open(worker);
      this.#nodes.set(worker, opening);
      opening.catch(() => {
        if (this.#nodes.get(worker) === opening) this.#nodes.delete(worker);
      });
    }
    return opening;
  }

  /**
   * The router on `worker` for peers of one layout. It closes when the last who holds it has let it go.
   * @throws {KliegError} `overloaded` where there are too many layouts.
   */
  hold(worker: SfuWorker, layout: PayloadLayout): { readonly opening: Promise<SfuNode> } & Disposable {
    const key = `${worker.index} ${layout.key}`;
    let entry = this.#layouts.get(key);
    if (entry === undefined) {
      if (this.#layouts.size >= MAX_LAYOUTS) {
        throw new KliegError("overloaded", "Too many different players watch this; try again later.");
      }
      const added: LayoutNode = { worker, opening: this.#open(worker, layout), users: 0 };
      entry = added;
      this.#layouts.set(key, added);
      added.opening.catch(() => this.#forgetLayout(key, added));
    }
    const held = entry;
    held.users += 1;
    let isHeld = true;
    return {
      opening: held.opening,
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        held.users -= 1;
        if (held.users > 0) return;
        this.#forgetLayout(key, held);
        closeRouter(held.opening);
      },
    };
  }

  /** Forgets what a worker had that has died. @returns whether it had anything. */
  forget(worker: SfuWorker): boolean {
    let had = this.#nodes.delete(worker);
    for (const [key, entry] of this.#layouts) {
      if (entry.worker === worker) had = this.#layouts.delete(key) || had;
    }
    return had;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const opening of this.#nodes.values()) closeRouter(opening);
    this.#nodes.clear();
    for (const { opening } of this.#layouts.values()) closeRouter(opening);
    this.#layouts.clear();
  }

  #forgetLayout(key: string, entry: LayoutNode): void {
    if (this.#layouts.get(key) === entry) this.#layouts.delete(key);
  }

  async #open(worker: SfuWorker, layout?: PayloadLayout): Promise<SfuNode> {
    const node = { worker, laidOut: layout !== undefined, ...(await worker.createRouter(layout?.codecs)) };
    if (!this.#closed) return node;
    node.router.close();
    throw stageEnded();
  }
}

function closeRouter(opening: Promise<SfuNode>): void {
  opening.then(
    ({ router }) => router.close(),
    // It was never there.
    () => undefined,
  );
}
