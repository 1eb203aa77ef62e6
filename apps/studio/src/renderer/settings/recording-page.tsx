import { useState } from "react";
import { useRequest } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { studioDesktop } from "../state/studio-desktop.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";
import { IsolatedChoice } from "./isolated-choice.tsx";
import { SettingRow } from "./setting-row.tsx";

const words = settingsStrings.recording;
const REPLAYS = [0, 15, 30, 60, 120, 300];

/** Where films go, and what is kept. */
export function RecordingPage() {
  const { engine } = useServices();
  const settings = useEngine((state) => state.settings);
  const replay = useEngine((state) => state.replay);
  const { problem, ask } = useRequest();
  const [typed, setTyped] = useState<string>();
  if (settings === undefined) return null;
  const desktop = studioDesktop();
  const setFolder = (folder: string) => {
    setTyped(undefined);
    const wanted = folder.trim();
    if (wanted === "" || wanted === settings.recording_folder) return;
    void ask(() => engine.changeSettings({ recording_folder: wanted }));
  };
  const choose = async () => {
    const folder = await desktop?.chooseFolder(settings.recording_folder);
    if (folder != null) setFolder(folder);
  };
  const arm = (seconds: number) =>
    ask(async () => {
      await engine.changeSettings({ replay_seconds: seconds });
      await engine.link.request("arm_replay", { seconds });
    });
  return (
    <>
      <SettingRow title={words.folder} detail={words.folderDetail} htmlFor="recording-folder">
        <span className="row folder">
          <input
            id="recording-folder"
            className="input"
            value={typed ?? settings.recording_folder}
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={(event) => setFolder(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") setFolder(event.currentTarget.value);
            }}
          />
          {desktop === undefined ? null : (
            <button type="button" className="btn" onClick={() => void choose()}>
              {words.choose}
            </button>
          )}
        </span>
      </SettingRow>
      <SettingRow title={words.withBroadcast} htmlFor="record-with-broadcast">
        <input
          id="record-with-broadcast"
          type="checkbox"
          className="switch"
          checked={settings.record_with_broadcast}
          onChange={(event) => void ask(() => engine.changeSettings({ record_with_broadcast: event.target.checked }))}
        />
      </SettingRow>
      <SettingRow
        title={words.replay}
        detail={replay.bytes > 0 ? words.holds(replay.bytes) : words.replayDetail}
        htmlFor="replay-seconds"
      >
        <select
          id="replay-seconds"
          className="select"
          value={settings.replay_seconds}
          onChange={(event) => void arm(Number(event.target.value))}
        >
          {[...new Set([...REPLAYS, settings.replay_seconds])].map((seconds) => (
            <option key={seconds} value={seconds}>
              {seconds === 0 ? words.replayOff : words.replaySeconds(seconds)}
            </option>
          ))}
        </select>
      </SettingRow>
      <IsolatedChoice />
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
