import type { EngineHandlers, EngineOutlet } from "./engine-handlers.ts";
import type { Recorder } from "./record/recorder.ts";
import type { RecordingShelf } from "./record/recording-shelf.ts";
import type { Replay } from "./record/replay.ts";
import type { SettingsStore } from "./settings/settings-store.ts";

/** Answers what is about the recording and the replay. */
export function recordingRequests(
  recorder: Recorder,
  replay: Replay,
  shelf: RecordingShelf,
  settings: SettingsStore,
  outlet: EngineOutlet,
): EngineHandlers<"start_recording" | "stop_recording" | "arm_replay" | "save_replay" | "list_recordings"> {
  return {
    start_recording: async () => ({ recording: await recorder.start(settings.settings.recording_folder) }),
    stop_recording: async () => ({ recording: await recorder.stop() }),
    arm_replay: async ({ seconds }) => {
      const state = replay.arm(seconds);
      // Remembered for the next start.
      outlet.tell({ event: "settings", settings: await settings.change({ replay_seconds: seconds }) });
      return { replay: state };
    },
    list_recordings: async () => {
      const { recording_folder: folder } = settings.settings;
      return { folder, films: await shelf.list(folder, recorder.state) };
    },
    save_replay: async () => ({ replay: await replay.save(settings.settings.recording_folder) }),
  };
}
