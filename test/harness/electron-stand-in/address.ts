/** Chromium navigates to no scheme that it does not know: pages of the app's are on a host of their own instead. */
const SUFFIX = ".klieg.stand-in";

/** `klieg://studio/x` as Chromium gets it: `https://studio.klieg.stand-in/x`. */
export function toChromium(address: string): string {
  return address.replace(/^klieg:\/\/([^/?#]+)/, `https://$1${SUFFIX}`);
}

/** The address as the app knows it. */
export function toApp(address: string): string {
  return address.replace(/^https:\/\/([^/?#]+)\.klieg\.stand-in(?=[/?#]|$)/, "klieg://$1");
}
