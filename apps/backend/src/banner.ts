import type { Addresses } from "./http/addresses.ts";

export interface BannerContent {
  readonly addresses: Addresses;
  readonly channel: string;
  /** Shown once, on the first start; undefined later. */
  readonly streamKey: string | undefined;
  /** Address that other machines on the network reach this one by; undefined where that is not known. */
  readonly networkAddress: string | undefined;
  readonly adminTokenFile: string;
  /** Why there is no WebRTC; undefined where there is. */
  readonly webrtcUnavailable: string | undefined;
  readonly playerBuilt: boolean;
  readonly studioBuilt: boolean;
}

/** What the operator sees at start: every address, and the first stream key. */
export function renderBanner(content: BannerContent): string {
  const { addresses, channel, streamKey } = content;
  const key = streamKey ?? "YOUR_STREAM_KEY";
  const lines: [string, string][] = [
    ["Watch", addresses.watch(channel)],
    ["Home", `${addresses.http}/`],
    ...(content.studioBuilt ? [["Studio", `${addresses.http}/studio/`] as [string, string]] : []),
    ["API", `${addresses.http}/v1/docs`],
    ["OBS server", addresses.rtmp],
    ...(addresses.rtmps === undefined ? [] : [["or", addresses.rtmps] as [string, string]]),
    [
      "Stream key",
      streamKey ?? `as printed on the first start (new ones: POST ${addresses.http}/v1/channels/${channel}/keys)`,
    ],
    ["SRT", addresses.srt(key)],
    content.webrtcUnavailable === undefined
      ? ["WHIP", `${addresses.whip} (the stream key as bearer token)`]
      : ["WHIP", `not available: ${content.webrtcUnavailable}`],
    ...(content.networkAddress === undefined
      ? []
      : [["Elsewhere", `use ${content.networkAddress} instead of localhost`] as [string, string]]),
    ["Admin token", `in ${content.adminTokenFile}`],
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  const body = lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`).join("\n");
  const note = content.playerBuilt ? "" : "\n  The player has not been built: run `npm run build`.";
  return `\nKlieg is up.\n\n${body}${note}\n\n`;
}
