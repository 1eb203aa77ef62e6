import type { EngineHandlers, EngineOutlet } from "./engine-handlers.ts";
import type { Recorder } from "./record/recorder.ts";
import type { Replay } from "./record/replay.ts";
import type { SettingsStore } from "./settings/settings-store.ts";

/** Answers what is about the recording and the replay. */
export function recordingRequests(
  recorder: Recorder,
  replay: Replay,
  settings: SettingsStore,
  outlet: EngineOutlet,
): EngineHandlers<"start_recording" | "stop_recording" | "arm_replay" | "save_replay"> {
  return {
    start_recording: async () => ({ recording: await recorder.start(settings.settings.recording_folder) }),
    stop_recording: async () => ({ recording: await recorder.stop() }),
    arm_replay: async ({ seconds }) => {
      const state = replay.arm(seconds);
      // Remembered for the next start.
      outlet.tell({ event: "settings", settings: await settings.change({ replay_seconds: seconds }) });
      return { replay: state };
    },
    save_replay: async () => ({ replay: await replay.save(settings.settings.recording_folder) }),
  };
}
