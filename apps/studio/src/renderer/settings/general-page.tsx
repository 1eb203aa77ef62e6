import { useEffect, useState } from "react";
import { useRequest } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { studioDesktop } from "../state/studio-desktop.ts";
import { settingsStrings } from "../strings/settings.ts";
import { SettingRow } from "./setting-row.tsx";

const words = settingsStrings.general;

export function GeneralPage() {
  const { engine, dialogs } = useServices();
  const { problem, ask } = useRequest();
  const [opens, setOpens] = useState<boolean | null>(null);
  const desktop = studioDesktop();
  useEffect(() => {
    desktop?.opensAtLogin().then(setOpens, () => setOpens(null));
  }, [desktop]);
  const again = async () => {
    if (await ask(() => engine.changeSettings({ welcomed: false }))) dialogs.setState({ open: undefined });
  };
  const setOpensAtLogin = (open: boolean) =>
    ask(async () => {
      await desktop?.setOpensAtLogin(open);
      setOpens(open);
    });
  return (
    <>
      <SettingRow title={words.welcome} detail={words.welcomeDetail}>
        <button type="button" className="btn" onClick={() => void again()}>
          {words.welcomeAgain}
        </button>
      </SettingRow>
      {opens === null ? null : (
        <SettingRow title={words.opensAtLogin} htmlFor="opens-at-login">
          <input
            id="opens-at-login"
            type="checkbox"
            className="switch"
            checked={opens}
            onChange={(event) => void setOpensAtLogin(event.target.checked)}
          />
        </SettingRow>
      )}
      {problem === undefined ? null : <p className="problem">{problem}</p>}
    </>
  );
}
