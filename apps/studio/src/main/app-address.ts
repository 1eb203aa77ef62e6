/** The app's own scheme: the page is at {@link APP_ADDRESS}, and the system hands links of other hosts to the app. */
export const APP_SCHEME = "klieg";
const APP_HOST = "studio";
export const APP_ADDRESS = `${APP_SCHEME}://${APP_HOST}/`;

const MAX_LINK_CHARACTERS = 2000;

/** Whether `address` is the app's own page, or one of its files. */
export function isAppAddress(address: string): boolean {
  const url = URL.parse(address);
  return (
    url !== null &&
    url.protocol === `${APP_SCHEME}:` &&
    url.host === APP_HOST &&
    url.username === "" &&
    url.password === ""
  );
}

/**
 * The link that the system started the app with, or handed to the one that runs: Windows and Linux put it among the
 * arguments.
 * @returns undefined where there is none that the app should follow.
 */
export function linkAmong(args: readonly string[]): string | undefined {
  return args.find((argument) => isLink(argument));
}

/** Whether `address` is a link that was made for the app, e.g. `klieg://room/…`; its own pages are not. */
export function isLink(address: string): boolean {
  if (address.length > MAX_LINK_CHARACTERS) return false;
  const url = URL.parse(address);
  return url !== null && url.protocol === `${APP_SCHEME}:` && url.host !== "" && url.host !== APP_HOST;
}
