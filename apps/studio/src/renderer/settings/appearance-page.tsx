import { Choice } from "../broadcast/choice.tsx";
import { useRequest } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";

const words = settingsStrings.appearance;

export function AppearancePage() {
  const { engine } = useServices();
  const theme = useEngine((state) => state.settings?.theme ?? "dark");
  const { problem, ask } = useRequest();
  return (
    <>
      <Choice
        legend={words.theme}
        value={theme}
        options={(["dark", "light", "system"] as const).map((value) => ({ value, ...words.themes[value] }))}
        onChange={(value) => void ask(() => engine.changeSettings({ theme: value }))}
      />
      {problem === undefined ? null : <p className="problem">{problem}</p>}
    </>
  );
}
