import { app, desktopCapturer, type Session, shell, systemPreferences, type WebContents } from "electron";
import { APP_SCHEME, isAppAddress } from "./app-address.ts";
import type { AppFiles } from "./app-files.ts";
import { navigationVerdict } from "./navigation-policy.ts";
import { permissionGranted } from "./permission-policy.ts";
import type { ScreenPicker } from "./screen-picker.ts";

const THUMBNAIL = { width: 320, height: 180 } as const;

/** Serves the page to `session`, and lets it do what the studio does and no more. */
export function equipSession(session: Session, files: AppFiles, picker: ScreenPicker): void {
  session.protocol.handle(APP_SCHEME, (request) => files.answer(request));

  session.setPermissionCheckHandler((_contents, permission, origin, { requestingUrl, isMainFrame }) =>
    permissionGranted(permission, { address: requestingUrl ?? origin, top: isMainFrame }),
  );
  session.setPermissionRequestHandler((_contents, permission, callback, details) => {
    const page = { address: details.requestingUrl, top: details.isMainFrame };
    if (!permissionGranted(permission, page)) callback(false);
    else if (process.platform === "darwin" && "mediaTypes" in details) {
      askSystem(details.mediaTypes ?? []).then(callback, () => callback(false));
    } else callback(true);
  });
  session.setDevicePermissionHandler(() => false);

  session.setDisplayMediaRequestHandler(
    ({ frame, audioRequested }, callback) => {
      if (frame === null || frame.parent !== null || !isAppAddress(frame.url)) {
        callback(null);
        return;
      }
      pickScreen(picker, audioRequested).then(callback, () => callback(null));
    },
    { useSystemPicker: true },
  );
}

/** macOS asks its user once, and remembers. */
async function askSystem(mediaTypes: readonly ("video" | "audio" | "screen")[]): Promise<boolean> {
  for (const type of mediaTypes) {
    if (type === "screen") continue;
    if (!(await systemPreferences.askForMediaAccess(type === "video" ? "camera" : "microphone"))) return false;
  }
  return true;
}

async function pickScreen(picker: ScreenPicker, audioRequested: boolean) {
  const sources = await desktopCapturer.getSources({
    types: ["screen", "window"],
    thumbnailSize: THUMBNAIL,
    fetchWindowIcons: true,
  });
  const offered = sources.map(({ id, name, thumbnail, appIcon }) => ({
    id,
    name,
    kind: id.startsWith("screen:") ? ("screen" as const) : ("window" as const),
    thumbnail: thumbnail.isEmpty() ? null : thumbnail.toDataURL(),
    icon: appIcon === null || appIcon.isEmpty() ? null : appIcon.toDataURL(),
  }));
  const [only] = sources;
  // Wayland's own picker has asked already, and what it gave is all there is.
  if (process.env.XDG_SESSION_TYPE === "wayland" && only !== undefined && sources.length === 1) return { video: only };
  // Only Windows lets what the computer plays be captured without a driver.
  const picked = await picker.pick(offered, audioRequested && process.platform === "win32");
  const video = sources.find(({ id }) => id === picked?.id);
  if (picked === undefined || video === undefined) return null;
  return { video, ...(picked.audio ? { audio: "loopback" as const } : {}) };
}

/** Whatever `contents` shows, it leads nowhere but to the app's page and, outside, to the system's browser. */
export function confine(contents: WebContents): void {
  contents.on("will-frame-navigate", (event) => {
    const verdict = navigationVerdict(event.url);
    if (verdict === "app" && event.isMainFrame) return;
    event.preventDefault();
    if (verdict === "browser" && event.isMainFrame) openInBrowser(event.url);
  });
  contents.on("will-redirect", (event) => {
    if (navigationVerdict(event.url) !== "app") event.preventDefault();
  });
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    if (navigationVerdict(url) === "browser") openInBrowser(url);
    return { action: "deny" };
  });
}

function openInBrowser(url: string): void {
  // There may be no browser; then there is nothing to be done about it here.
  shell.openExternal(url).catch((error: unknown) => {
    process.stderr.write(`${app.name}: ${url} was not opened: ${String(error)}\n`);
  });
}
