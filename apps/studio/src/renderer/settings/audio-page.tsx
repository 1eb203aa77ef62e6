import { useRequest } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { useDevices } from "../sources/use-devices.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";
import { SettingRow } from "./setting-row.tsx";

const words = settingsStrings.audio;

/** Where the operator hears. What each source sounds like is the mixer's. */
export function AudioPage() {
  const { engine } = useServices();
  const chosen = useEngine((state) => state.settings?.monitor_device ?? "");
  const devices = useDevices("speaker");
  const { problem, ask } = useRequest();
  const named = devices.filter(({ id }) => id !== "default");
  return (
    <>
      <SettingRow
        title={words.monitor}
        detail={named.some(({ label }) => label === "") ? words.allow : words.monitorDetail}
        htmlFor="monitor-device"
      >
        <select
          id="monitor-device"
          className="select"
          value={chosen}
          onChange={(event) => void ask(() => engine.changeSettings({ monitor_device: event.target.value }))}
        >
          <option value="">{words.systemDefault}</option>
          {named.map(({ id, label }) => (
            <option key={id} value={id}>
              {label === "" ? words.unnamed : label}
            </option>
          ))}
          {chosen === "" || named.some(({ id }) => id === chosen) ? null : (
            <option value={chosen}>{words.unnamed}</option>
          )}
        </select>
      </SettingRow>
      <SettingRow title={words.loudness} detail={words.loudnessDetail}>
        {null}
      </SettingRow>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
    </>
  );
}
