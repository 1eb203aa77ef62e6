import { useServices } from "../services.ts";
import { studioDesktop } from "../state/studio-desktop.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";

const words = settingsStrings.about;

export function AboutPage() {
  const { toasts } = useServices();
  const welcome = useEngine((state) => state.welcome);
  const update = useEngine((state) => state.update);
  const desktop = studioDesktop();
  if (welcome === undefined) return null;
  const install = async () => {
    if ((await desktop?.installUpdate()) === false) toasts.show(words.busy);
  };
  const rows = [
    [words.engine, words.hosts[welcome.host]],
    [words.platform, words.cores(welcome.platform, welcome.cores)],
    [words.ffmpeg, welcome.ffmpeg?.version ?? words.noFfmpeg],
    [words.secrets, words[welcome.secrets]],
  ] as const;
  return (
    <>
      <p className="h">{words.version(welcome.version)}</p>
      {desktop === undefined ? null : (
        <div className="row">
          <p className="grow">
            {update.state === "ready" ? words.update.ready(update.version ?? "") : words.update[update.state]}
          </p>
          {update.state === "ready" ? (
            <button type="button" className="btn arc" onClick={() => void install()}>
              {words.install}
            </button>
          ) : null}
        </div>
      )}
      <dl className="about">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt className="label">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
