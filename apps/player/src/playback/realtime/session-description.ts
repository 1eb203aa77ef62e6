/** What ICE needs to know of one end (RFC 8839 § 5.4). */
export interface IceCredentials {
  readonly ufrag: string;
  readonly password: string;
}

const lines = (sdp: string) => sdp.split(/\r?\n/).filter((line) => line.length > 0);
const joined = (all: readonly string[]) => `${all.join("\r\n")}\r\n`;

/** The first ICE credentials of a description or fragment; with bundling they hold for all of it. Null where it has none. */
export function iceCredentialsOf(sdp: string): IceCredentials | null {
  const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
  const password = /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1];
  return ufrag === undefined || password === undefined ? null : { ufrag, password };
}

/**
 * The fragment that asks for an ICE restart (RFC 9725 § 4.3.3, RFC 8840 § 9): the credentials of `offer`, its first media description
 * and the candidates that are known so far.
 */
export function iceFragmentOf(offer: string): string {
  const all = lines(offer);
  const firstMedia = all.findIndex((line) => line.startsWith("m="));
  const end = all.findIndex((line, at) => at > firstMedia && line.startsWith("m="));
  const session = all.slice(0, Math.max(0, firstMedia));
  const media = firstMedia < 0 ? [] : all.slice(firstMedia, end < 0 ? all.length : end);
  const starts = (prefixes: readonly string[]) => (line: string) => prefixes.some((prefix) => line.startsWith(prefix));
  const credentials = iceCredentialsOf(offer);
  return joined([
    ...session.filter(starts(["a=group:BUNDLE", "a=ice-options"])),
    ...(credentials === null ? [] : [`a=ice-ufrag:${credentials.ufrag}`, `a=ice-pwd:${credentials.password}`]),
    ...media.filter(starts(["m=", "a=mid:", "a=candidate:", "a=end-of-candidates"])),
  ]);
}

/**
 * `answer` with the credentials of `fragment`, and its candidates where it brings any: what the answer to an ICE restart means for
 * the description that is in force. Null where the fragment has no credentials.
 */
export function answerAfterRestart(answer: string, fragment: string): string | null {
  const credentials = iceCredentialsOf(fragment);
  if (credentials === null) return null;
  const candidates = lines(fragment).filter((line) => /^a=(candidate:|end-of-candidates)/.test(line));
  const renewed: string[] = [];
  for (const line of lines(answer)) {
    if (line.startsWith("a=ice-ufrag:")) renewed.push(`a=ice-ufrag:${credentials.ufrag}`);
    else if (line.startsWith("a=ice-pwd:")) {
      renewed.push(`a=ice-pwd:${credentials.password}`, ...candidates);
    } else if (candidates.length === 0 || !/^a=(candidate:|end-of-candidates)/.test(line)) renewed.push(line);
  }
  return joined(renewed);
}

const WEBRTC = "http://www.webrtc.org/experiments/rtp-hdrext";

/**
 * The numbers under which the server sends header extensions: what an offer gives another number it cannot send, since an answer may
 * not renumber (RFC 8285 § 6). Without transport-wide congestion control it would not know what the network carries.
 */
const EXTENSIONS: Readonly<Record<string, number>> = {
  "urn:ietf:params:rtp-hdrext:sdes:mid": 1,
  [`${WEBRTC}/abs-send-time`]: 4,
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": 5,
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level": 6,
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": 7,
  "urn:3gpp:video-orientation": 8,
  "urn:ietf:params:rtp-hdrext:toffset": 9,
  [`${WEBRTC}/abs-capture-time`]: 10,
  [`${WEBRTC}/playout-delay`]: 11,
};

/** `offer` with its header extensions numbered as the server numbers them, and without those that it never sends. */
export function withServersExtensions(offer: string): string {
  return joined(
    lines(offer).flatMap((line) => {
      const [, direction, uri] = /^a=extmap:\d+(\/\w+)? (\S+)/.exec(line) ?? [];
      if (uri === undefined) return [line];
      const number = EXTENSIONS[uri];
      return number === undefined ? [] : [`a=extmap:${number}${direction ?? ""} ${uri}`];
    }),
  );
}

/**
 * `offer` with two channels wanted of Opus (RFC 7587 § 6.1: `stereo` defaults to 0) and lost packets of it asked for again: browsers
 * offer neither by themselves.
 */
export function withFullSound(offer: string): string {
  const all = lines(offer);
  const payloads = new Set(all.flatMap((line) => /^a=rtpmap:(\d+) opus\/48000\/2/i.exec(line)?.[1] ?? []));
  return joined(
    all.flatMap((line) => {
      const [, attribute, payload = ""] = /^a=(fmtp|rtpmap):(\d+) /.exec(line) ?? [];
      if (!payloads.has(payload)) return [line];
      const nack = `a=rtcp-fb:${payload} nack`;
      if (attribute === "rtpmap") return all.includes(nack) ? [line] : [line, nack];
      return [/;?\bstereo=/.test(line) ? line : `${line};stereo=1`];
    }),
  );
}
