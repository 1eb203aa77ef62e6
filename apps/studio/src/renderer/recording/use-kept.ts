import { useServices } from "../services.ts";
import { studioDesktop } from "../state/studio-desktop.ts";
import { noticeStrings } from "../strings/notices.ts";

/** Says where a film was kept, with a button to it where there is a desktop. */
export function useKept(): (text: string, path: string) => void {
  const { toasts } = useServices();
  return (text, path) => {
    const desktop = studioDesktop();
    const action =
      desktop === undefined
        ? undefined
        : { label: noticeStrings.showInFolder, run: () => void desktop.showInFolder(path) };
    toasts.show(text, action === undefined ? {} : { action });
  };
}
