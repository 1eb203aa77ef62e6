/** `note`: worth knowing; `warn`: viewers may notice soon, or a little; `bad`: they do now. */
export type Severity = "note" | "warn" | "bad";

/** What a press of an alert's button does. */
export type AlertAction =
  | { readonly do: "retry_destination"; readonly id: string }
  /** To its key, for the most part. */
  | { readonly do: "edit_destination"; readonly id: string }
  | { readonly do: "open_settings"; readonly page: "video" | "recording" }
  | { readonly do: "open_source"; readonly id: string }
  | { readonly do: "start_recording" };

/** One thing that is wrong, in words. */
export interface Alert {
  /** The same thing keeps its id, so that it is told once. */
  readonly id: string;
  readonly severity: Severity;
  /** What is. */
  readonly title: string;
  /** What to do about it, or that nothing need be done. */
  readonly advice: string;
  readonly action: AlertAction | undefined;
}

const ORDER: Record<Severity, number> = { bad: 0, warn: 1, note: 2 };

/** The worst first; among equals as they were. */
export function bySeverity(alerts: readonly Alert[]): Alert[] {
  return alerts.toSorted((one, other) => ORDER[one.severity] - ORDER[other.severity]);
}
