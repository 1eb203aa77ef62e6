/**
 * The lifecycle of everything that holds a socket, timer, process or listener.
 * `close` is idempotent: the first reason wins, later calls return the same promise.
 */
export interface Closable<Reason = CloseReason> extends AsyncDisposable {
  /** Resolves when everything held has been let go. Never rejects. */
  close(reason?: Reason): Promise<void>;
}

/** Why something closed. `owner`: its owner asked; anything else came from within or from the peer. */
export interface CloseReason {
  readonly by: "owner" | "peer" | "self";
  /** Words for a log line. */
  readonly message: string;
  readonly error?: Error;
}

export const CLOSED_BY_OWNER: CloseReason = { by: "owner", message: "closed by its owner" };
