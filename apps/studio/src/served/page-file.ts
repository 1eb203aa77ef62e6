/** What the files of the built page are, by their extension; others are not served. */
export const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json"],
  [".map", "application/json"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".webp", "image/webp"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
  [".wasm", "application/wasm"],
  // The model that finds people.
  [".tflite", "application/octet-stream"],
  [".txt", "text/plain; charset=utf-8"],
]);

/** @returns undefined where a segment is not a plain name of a file: such addresses are nobody's. */
export function segmentsOf(pathname: string): string[] | undefined {
  try {
    const segments = pathname
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
    return segments.every((segment) => /^[\w@-][\w.@-]*$/.test(segment)) ? segments : undefined;
  } catch {
    return undefined; // decodeURIComponent refuses what is not UTF-8.
  }
}
