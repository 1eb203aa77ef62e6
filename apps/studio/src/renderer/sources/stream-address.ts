/** What the engine opens (`engine/capture/stream-address.ts`), as far as a form can tell. */
const NETWORK = /^(rtsps?|rtmps?|srt|https?|udp|rtp|tcp):\/\/[^\s/?#]+\S*$/i;
const DEVICE = /^(v4l2|dshow|avfoundation|decklink):\S.*$/i;

/** Whether it looks like something that the engine opens. */
export function isAddress(text: string): boolean {
  return NETWORK.test(text) || DEVICE.test(text);
}

/** Whether RTSP is spoken there. */
export function isRtsp(text: string): boolean {
  return /^rtsps?:/i.test(text);
}

/** What is kept beside an address of this kind so that it opens. */
export function secretOf(text: string): "password" | "passphrase" | undefined {
  if (/^srt:/i.test(text)) return "passphrase";
  return /^(rtsps?|https?|rtmps?):/i.test(text) ? "password" : undefined;
}

/** An address without the password, or SRT passphrase, that somebody typed into it. */
export function splitPassword(text: string): { readonly url: string; readonly password: string | undefined } {
  const [, before, password, after] = /^([a-z0-9]+:\/\/[^/?#@:]*):([^/?#@]*)(@.*)$/i.exec(text) ?? [];
  if (password !== undefined) return { url: `${before}${after}`, password: decoded(password) };
  const [, key] = /[?&]passphrase=([^&]*)/.exec(text) ?? [];
  if (key === undefined || secretOf(text) !== "passphrase") return { url: text, password: undefined };
  return { url: text.replace(/([?&])passphrase=[^&]*&?/, "$1").replace(/[?&]$/, ""), password: decoded(key) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // It was meant as it stands.
  }
}
