/**
 * Chromium navigates to no scheme that it does not know: what is on the app's own scheme is on a host of this computer instead,
 * which browsers trust as they trust HTTPS.
 */
const SUFFIX = ".klieg.localhost";
let port = 0;

/** The server that answers for the app's scheme is there. */
export function setServerPort(listening: number): void {
  port = listening;
}

/** `klieg://studio/x` as Chromium gets it: `http://studio.klieg.localhost:PORT/x`. */
export function toChromium(address: string): string {
  return address.replace(/^klieg:\/\/([^/?#]+)/, `http://$1${SUFFIX}:${port}`);
}

/** The address as the app knows it. */
export function toApp(address: string): string {
  return address.replace(/^http:\/\/([^/?#.]+)\.klieg\.localhost:\d+(?=[/?#]|$)/, "klieg://$1");
}
