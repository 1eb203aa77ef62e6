import { isAppAddress } from "./app-address.ts";

/** What the studio does with the machine; Electron's names. Everything that is not here is refused. */
const GRANTED: ReadonlySet<string> = new Set([
  "media",
  "display-capture",
  "speaker-selection",
  "fullscreen",
  "clipboard-sanitized-write",
  "screen-wake-lock",
  // A backend is often on this computer or beside it.
  "local-network-access",
  "local-network",
  "loopback-network",
]);

/**
 * Whether a page may have `permission`: only the app's own, and only as the top of its window. The system asks its user for
 * camera, microphone and screen all the same.
 */
export function permissionGranted(
  permission: string,
  page: { readonly address: string; readonly top: boolean },
): boolean {
  return GRANTED.has(permission) && page.top && isAppAddress(page.address);
}
