const MAX_LENGTH = 80;

/** Programs that say who they are in the midst of a browser's name. */
const NAMED = [
  /\b(OBS-Studio)\/([\w.]+)/,
  /\b(Edg)\/(\d+)/,
  /\b(OPR)\/(\d+)/,
  /\b(Firefox)\/(\d+)/,
  /\b(?:Headless)?(Chrome)\/(\d+)/,
  /\bVersion\/(\d+)[\d.]* .*(Safari)\//,
];

/** What an encoder calls itself, from its `User-Agent`; undefined where it says nothing. */
export function encoderNameOf(userAgent: string | undefined): string | undefined {
  const text = userAgent
    ?.slice(0, 500)
    .replace(/[^\x20-\x7e]/g, "")
    .trim();
  if (text === undefined || text === "") return undefined;
  for (const pattern of NAMED) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const [a = "", b = ""] = match.slice(1);
    return /^\d/.test(a)
      ? `${b} ${a}`
      : `${a.replace("OBS-Studio", "OBS").replace("Edg", "Edge").replace("OPR", "Opera")} ${b}`;
  }
  return text.slice(0, MAX_LENGTH);
}
