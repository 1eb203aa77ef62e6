import type { StudioEvent } from "@klieg/protocol";
import type { Toasts } from "../shell/toasts.ts";
import type { DialogStore } from "../state/dialogs.ts";
import { shellStrings as words } from "../strings/shell.ts";
import { readAppLink } from "./app-link.ts";

/** Follows links of the app's own scheme that the system handed to it, until the answer is disposed. */
export function followLinks(parts: {
  readonly link: { onEvent(listener: (event: StudioEvent) => void): Disposable };
  readonly dialogs: DialogStore;
  readonly toasts: Toasts;
}): Disposable {
  const { link, dialogs, toasts } = parts;
  return link.onEvent((event) => {
    if (event.event !== "link") return;
    const asked = readAppLink(event.url);
    if (asked.kind === "unknown") toasts.show(words.unknownLink, { tone: "bad" });
    else dialogs.setState({ open: { name: "settings", page: "destinations" }, server: asked.server });
  });
}
