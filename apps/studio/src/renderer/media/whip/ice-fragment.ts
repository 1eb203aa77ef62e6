/** ICE credentials of one end of a session. */
export interface IceCredentials {
  readonly ufrag: string;
  readonly password: string;
}

/** The first credentials of a session description or fragment; undefined where it has none. */
export function credentialsOf(sdp: string): IceCredentials | undefined {
  const ufrag = /^a=ice-ufrag:(\S+)\s*$/m.exec(sdp)?.[1];
  const password = /^a=ice-pwd:(\S+)\s*$/m.exec(sdp)?.[1];
  return ufrag === undefined || password === undefined ? undefined : { ufrag, password };
}

/** The fragment that asks for an ICE restart (RFC 9725 § 4.3.3, RFC 8840): new credentials, and the media line they belong to. */
export function restartFragment({ ufrag, password }: IceCredentials): string {
  return `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${password}\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n`;
}

/** An answer with other credentials in the place of its own. */
export function withCredentials(sdp: string, { ufrag, password }: IceCredentials): string {
  return sdp
    .replaceAll(/^a=ice-ufrag:.*?(\r?)$/gm, `a=ice-ufrag:${ufrag}$1`)
    .replaceAll(/^a=ice-pwd:.*?(\r?)$/gm, `a=ice-pwd:${password}$1`);
}

/** An answer by which a browser sends Opus in stereo (RFC 7587 § 6.1): it sends mono to whoever does not say that they like it. */
export function withStereo(sdp: string): string {
  const type = /^a=rtpmap:(\d+) opus\//im.exec(sdp)?.[1];
  if (type === undefined) return sdp;
  const line = new RegExp(`^a=fmtp:${type} (.*?)(\\r?)$`, "m");
  const parameters = line.exec(sdp)?.[1];
  if (parameters === undefined)
    return sdp.replace(/^(a=rtpmap:\d+ opus\/.*?)(\r?)$/im, `$1\r\na=fmtp:${type} stereo=1$2`);
  return /(^|;)\s*stereo=/.test(parameters) ? sdp : sdp.replace(line, `a=fmtp:${type} ${parameters};stereo=1$2`);
}
