/** What to do with a blocking playlist request (RFC 8216bis §6.2.5.2). */
export type ReloadDecision =
  | { readonly kind: "ready" }
  /** Answer once `contains(msn, part)` is true; give up (503) after `deadlineMs`. */
  | { readonly kind: "wait"; readonly msn: number; readonly part: number | undefined; readonly deadlineMs: number }
  /** 400: further ahead than a client can mean. */
  | { readonly kind: "too_far" }
  /** 400: `_HLS_part` without `_HLS_msn`, or not a number that can be. */
  | { readonly kind: "bad" };
