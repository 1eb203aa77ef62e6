import { KliegError } from "@klieg/protocol";
import type { SfuWorker } from "./sfu-worker.ts";

/** So many peers of a stage fit a worker before the next one is taken for it too: piping has its price. */
const PEERS_BEFORE_SPREADING = 25;
/** A stage stays on its workers as long as another has no more than so much less to do. */
const TOLERATED_LOAD = 50;

/** A place for one peer of a stage on a worker. */
export interface Seat extends Disposable {
  readonly worker: SfuWorker;
}

/**
 * Which worker each part of a stage lives on. A stage keeps together while it is small, and fills every core when it is
 * not: a worker after the other gets its fair share of peers, then whichever has the least to do.
 */
export class StagePlacement {
  readonly #workers: readonly SfuWorker[];
  readonly #seats = new Map<SfuWorker, number>();

  constructor(workers: readonly SfuWorker[]) {
    this.#workers = workers;
  }

  /**
   * A place for a peer, counted from now on: many who come at once must not all be given the same worker.
   * @param used workers that the stage is on.
   * @throws {KliegError} `webrtc_unavailable` where there is no worker.
   */
  seat(used: Iterable<SfuWorker>): Seat {
    const worker = this.#choose(used);
    const seats = new DisposableStack();
    this.#seats.set(worker, (this.#seats.get(worker) ?? 0) + 1);
    seats.defer(() => {
      const left = (this.#seats.get(worker) ?? 0) - 1;
      if (left > 0) this.#seats.set(worker, left);
      else this.#seats.delete(worker);
    });
    seats.use(worker.occupy());
    return { worker, [Symbol.dispose]: () => seats.dispose() };
  }

  /**
   * Where a stage has what belongs to none of its peers: with most of these.
   * @throws {KliegError} `webrtc_unavailable` where there is no worker.
   */
  home(used: Iterable<SfuWorker>): SfuWorker {
    let home: SfuWorker | undefined;
    let most = 0;
    for (const [worker, seats] of this.#seats) {
      if (worker.isUsable && seats > most) [home, most] = [worker, seats];
    }
    return home ?? this.#choose(used);
  }

  #choose(used: Iterable<SfuWorker>): SfuWorker {
    const least = leastLoaded(this.#workers.filter(({ isUsable }) => isUsable)) ?? leastLoaded(this.#workers);
    if (least === undefined) throw new KliegError("webrtc_unavailable", "This server cannot do WebRTC.");
    for (const worker of used) {
      const seats = this.#seats.get(worker) ?? 0;
      if (worker.isUsable && seats < PEERS_BEFORE_SPREADING && worker.load <= least.load + TOLERATED_LOAD)
        return worker;
    }
    return least;
  }
}

function leastLoaded(workers: readonly SfuWorker[]): SfuWorker | undefined {
  let least: SfuWorker | undefined;
  for (const worker of workers) if (least === undefined || worker.load < least.load) least = worker;
  return least;
}
