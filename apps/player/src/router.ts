import { type MouseEvent, useSyncExternalStore } from "react";

/** The pages that the backend serves this application for. */
export type Route =
  | { readonly page: "home" }
  /** `preview`: token of who watches a hidden broadcast of their own. */
  | { readonly page: "watch"; readonly channel: string; readonly preview?: string }
  | { readonly page: "embed"; readonly channel: string; readonly autoplay: boolean; readonly muted: boolean }
  | { readonly page: "room"; readonly room: string }
  | { readonly page: "none" };

/** Pure. @param search query string, with or without its `?`. */
export function routeOf(path: string, search: string): Route {
  const [page, name, ...rest] = path.split("/").filter((part) => part !== "");
  if (page === undefined) return { page: "home" };
  const channel = decode(name);
  if (channel === null || rest.length > 0) return { page: "none" };
  const query = new URLSearchParams(search);
  if (page === "watch") {
    const preview = query.get("preview");
    return preview ? { page, channel, preview } : { page, channel };
  }
  if (page === "embed") {
    return { page, channel, autoplay: isOn(query.get("autoplay")), muted: isOn(query.get("muted")) };
  }
  if (page === "room") return { page, room: channel };
  return { page: "none" };
}

function decode(part: string | undefined): string | null {
  if (part === undefined) return null;
  try {
    return decodeURIComponent(part).toLowerCase();
  } catch {
    return null;
  }
}

function isOn(value: string | null): boolean {
  return value !== null && value !== "0" && value !== "false";
}

const changed = new EventTarget();

/** Goes to `path` without loading a page; the click that did it stays a gesture, so sound may play. */
export function navigate(path: string): void {
  history.pushState(null, "", path);
  changed.dispatchEvent(new Event("change"));
  scrollTo(0, 0);
}

/** For links within the application: leaves new tabs, downloads and the like to the browser. */
export function followLink(event: MouseEvent<HTMLAnchorElement>): void {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  ) {
    return;
  }
  event.preventDefault();
  navigate(event.currentTarget.pathname);
}

/** The current path and query, kept up to date. */
export function useLocation(): string {
  return useSyncExternalStore(
    (notify) => {
      addEventListener("popstate", notify);
      changed.addEventListener("change", notify);
      return () => {
        removeEventListener("popstate", notify);
        changed.removeEventListener("change", notify);
      };
    },
    () => location.pathname + location.search,
  );
}
