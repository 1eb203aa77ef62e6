import { ApiClient } from "./api/client.ts";
import { ClockOffset } from "./playback/clock-offset.ts";
import { Preferences } from "./playback/preferences.ts";

/** What the whole page shares. */
export interface Services {
  readonly api: ApiClient;
  readonly preferences: Preferences;
  readonly clockOffset: ClockOffset;
}

/** Made once, before anything is rendered. */
export function createServices(): Services {
  const clockOffset = new ClockOffset();
  return {
    clockOffset,
    preferences: new Preferences(),
    api: new ApiClient((date, sentAt, receivedAt) => clockOffset.observe(date, sentAt, receivedAt)),
  };
}
