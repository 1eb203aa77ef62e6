export type MediaRequestKind = "multivariant" | "playlist" | "part" | "segment" | "init" | "other";

/** Counts what the origin was asked for, without a label object per request. */
export class RequestCounts {
  readonly #counts = new Map<MediaRequestKind, Map<number, number>>();
  /** Bytes of bodies sent. */
  bytes = 0;

  add(kind: MediaRequestKind, status: number, bytes: number): void {
    let byStatus = this.#counts.get(kind);
    if (byStatus === undefined) {
      byStatus = new Map();
      this.#counts.set(kind, byStatus);
    }
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    this.bytes += bytes;
  }

  *entries(): Generator<{ kind: MediaRequestKind; status: string; count: number }> {
    for (const [kind, byStatus] of this.#counts) {
      for (const [status, count] of byStatus) yield { kind, status: String(status), count };
    }
  }
}
