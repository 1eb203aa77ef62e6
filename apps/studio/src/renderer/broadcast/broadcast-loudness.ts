import type { AudioMixer } from "../media/mixer/mixer-contract.ts";
import type { EngineStore } from "../state/engine-store.ts";

/**
 * Measures the integrated loudness of what is sent, and of nothing before it: it begins anew when the broadcast does, and when
 * it is seen by everybody. Until the answer is disposed.
 */
export function followLoudness(engine: EngineStore, mixer: Pick<AudioMixer, "resetLoudness">): Disposable {
  const stop = engine.state.subscribe(({ broadcast }, { broadcast: before }) => {
    const begins = before.started_at === null && broadcast.started_at !== null;
    const appears = before.live_at === null && broadcast.live_at !== null;
    if (begins || appears) mixer.resetLoudness();
  });
  return { [Symbol.dispose]: stop };
}
