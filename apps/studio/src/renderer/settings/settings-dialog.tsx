import type { ComponentType, KeyboardEvent } from "react";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { SETTINGS_PAGES, type SettingsPage } from "../state/dialogs.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings as words } from "../strings/settings.ts";
import { AboutPage } from "./about-page.tsx";
import { AppearancePage } from "./appearance-page.tsx";
import { AudioPage } from "./audio-page.tsx";
import { DestinationsPage } from "./destinations-page.tsx";
import { GeneralPage } from "./general-page.tsx";
import { KeysPage } from "./keys-page.tsx";
import { RecordingPage } from "./recording-page.tsx";
import { VideoPage } from "./video-page.tsx";
import "./settings.css";

const PAGES: Record<SettingsPage, ComponentType> = {
  general: GeneralPage,
  destinations: DestinationsPage,
  video: VideoPage,
  audio: AudioPage,
  recording: RecordingPage,
  keys: KeysPage,
  appearance: AppearancePage,
  about: AboutPage,
};

/** All settings, by pages; what is changed counts at once. */
export function SettingsDialog({ page, onClose }: { readonly page: SettingsPage; readonly onClose: () => void }) {
  const { dialogs } = useServices();
  const alone = useEngine((state) => state.welcome?.host === "browser");
  // A tab records nothing.
  const pages: readonly SettingsPage[] = alone ? SETTINGS_PAGES.filter((name) => name !== "recording") : SETTINGS_PAGES;
  const Page = PAGES[page];
  const open = (to: SettingsPage) => dialogs.setState({ open: { name: "settings", page: to } });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const at = pages.indexOf(page) + way + pages.length;
    const next = pages[at % pages.length];
    if (next === undefined) return;
    open(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-page="${next}"]`)?.focus();
  };
  return (
    <Dialog title={words.title} onClose={onClose} className="wide settings">
      <div className="settings-layout">
        <div role="tablist" aria-orientation="vertical" aria-label={words.title} onKeyDown={onKeyDown}>
          {pages.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`settings-tab-${name}`}
              data-page={name}
              aria-selected={name === page}
              aria-controls="settings-page"
              tabIndex={name === page ? 0 : -1}
              onClick={() => open(name)}
            >
              {words.pages[name]}
            </button>
          ))}
        </div>
        <div className="settings-page form" id="settings-page" role="tabpanel" aria-labelledby={`settings-tab-${page}`}>
          <Page key={page} />
        </div>
      </div>
    </Dialog>
  );
}
