import { KliegError } from "@klieg/protocol";

/** FFmpeg's words for what went wrong, in the order in which they are looked for, and what they mean to whoever set the source up. */
const FAILURES = [
  [
    /\b401\b|unauthorized|authorization failed|auth.*fail|bad ?secret|incorrect passphrase|wrong password/i,
    "unauthorized",
    "It wants another user name or password",
  ],
  [/\b403\b|forbidden/i, "forbidden", "It does not let this computer in"],
  [
    /unknown input format|protocol not found|not on whitelist|option .* not found|unrecognized option/i,
    "not_supported",
    "The FFmpeg of the studio cannot open this kind of source",
  ],
  [/device or resource busy|could not run graph|already in use/i, "conflict", "Another program is using the device"],
  [/permission denied|operation not permitted/i, "forbidden", "The system does not let the studio open it"],
  [
    /no such file|\b404\b|not found|no such device|could not find video device|not a tty|inappropriate ioctl/i,
    "not_found",
    "There is nothing of that name there",
  ],
  [
    /invalid data|does not contain any stream|could not find codec|unsupported codec|decoder .*not found|unknown codec|moov atom|invalid argument/i,
    "media_unsupported",
    "What comes from there is no picture or sound that can be read",
  ],
  [/connection refused/i, "unreachable", "Nobody answers at this address: the connection was refused"],
  [
    /resolve hostname|name or service|nodename nor servname|temporary failure in name/i,
    "unreachable",
    "There is no server of that name",
  ],
  [
    /no route|unreachable|connection (reset|timed out)|timed? ?out|input\/output error|broken pipe|tls|certificate|handshake|error number -138/i,
    "unreachable",
    "The server could not be reached",
  ],
] as const satisfies readonly (readonly [RegExp, KliegError["code"], string])[];

/** What is not mended by trying again. */
const FINAL: ReadonlySet<KliegError["code"]> = new Set(["unauthorized", "bad_request", "not_supported"]);

/** @param words what FFmpeg said that went wrong, one or more lines, without secrets. */
export function captureFailure(words: string): KliegError {
  const last = words.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  // Ports and paths are numbers and words, too.
  const plain = words.replace(/\b[a-z][a-z0-9]*:\/\/\S+/gi, "");
  for (const [pattern, code, meaning] of FAILURES) {
    if (pattern.test(plain)) return new KliegError(code, `${meaning} (${last}).`);
  }
  return new KliegError("unreachable", last === "" ? "The source ended." : `The source ended: ${last}.`);
}

/** Whether the source is not tried again until its user changes something. */
export function isFinal({ code }: KliegError): boolean {
  return FINAL.has(code);
}
