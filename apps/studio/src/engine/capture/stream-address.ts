import { type CaptureInput, KliegError } from "@klieg/protocol";

type StreamInput = Extract<CaptureInput, { kind: "stream" }>;

/** What stands before FFmpeg's output options: an input, with all that it may touch said. */
export interface FfmpegInput {
  readonly args: readonly string[];
  /** Whether it is read at its own pace, and is over when it ends; else it comes as it comes, and is to go on for ever. */
  readonly isFile: boolean;
  /** What must not be repeated in words: the password, as it is and as it stands in an address. */
  readonly secrets: readonly string[];
}

/** Which of FFmpeg's protocols an address may lead to, over redirections, playlists and tunnels too: never a file of the machine. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  rtsp: "rtp,srtp,udp,tcp",
  rtsps: "rtp,srtp,udp,tcp,tls",
  rtmp: "rtmp,tcp",
  rtmps: "rtmps,tls,tcp",
  srt: "srt",
  http: "http,https,tcp,tls,crypto,httpproxy",
  https: "http,https,tcp,tls,crypto,httpproxy",
  udp: "udp",
  rtp: "rtp,udp",
  tcp: "tcp",
};

/** Capture cards and cameras by the part of FFmpeg that opens them; for each, what a name of one looks like. */
const DEVICES: Readonly<Record<string, RegExp>> = {
  v4l2: /^\/dev\/(video\d{1,3}|v4l\/by-(id|path)\/[\w.:+-]{1,200})$/,
  dshow: /^(video|audio)=[^"]{1,200}$/,
  avfoundation: /^[^"?]{1,200}$/,
  decklink: /^[^"?]{1,200}$/,
};
/** What may be asked of a device, behind a question mark. */
const DEVICE_OPTIONS: Readonly<Record<string, RegExp>> = {
  video_size: /^\d{2,5}x\d{2,5}$/,
  framerate: /^\d{1,3}(\.\d{1,3})?(\/\d{1,4})?$/,
  input_format: /^\w{1,20}$/,
  pixel_format: /^\w{1,20}$/,
  format_code: /^\w{1,8}$/,
};

/** Containers and raw forms that a file of the show may be; none of these leads to other files. */
const FILE_FORMATS =
  "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,mxf,gxf,nut,ogg,wav,w64,aiff,au,caf," +
  "flac,mp3,aac,ac3,eac3,dts,ape,amr,h264,hevc,m4v,mjpeg,dv,ivf,obu,rm,swf,gif,apng,y4m,yuv4mpegpipe,wv,tta,mpc";

/** Bytes and µs that FFmpeg looks at before it begins. */
const QUICK_LOOK = ["-probesize", "1000000", "-analyzeduration", "1000000"];
const LONG_LOOK = ["-probesize", "5000000", "-analyzeduration", "5000000"];
/** How long packets that come by UDP are waited for to be put in order, µs. */
const REORDERING = { quick: "100000", patient: "500000" };

/**
 * Reads what a stream source is to open: an address of the network, or a device as `v4l2:/dev/video0?framerate=30`.
 * @param password put beside the user in the address, or given to SRT as its passphrase.
 * @throws {KliegError} `bad_request` where FFmpeg is not to be given this.
 */
export function streamInput(input: StreamInput, password: string | undefined): FfmpegInput {
  const url = input.url.trim();
  const scheme = /^([a-z][a-z0-9]*):/i.exec(url)?.[1]?.toLowerCase() ?? "";
  const isDevice = Object.hasOwn(DEVICES, scheme);
  const look = input.low_latency ? ["-fflags", "nobuffer", "-flags", "low_delay", ...QUICK_LOOK] : LONG_LOOK;
  const decoding = input.hardware_decode ? ["-hwaccel", "auto"] : [];
  if (isDevice) {
    return { args: [...decoding, ...look, ...deviceArguments(scheme, url)], isFile: false, secrets: [] };
  }
  const protocols = Object.hasOwn(PROTOCOLS, scheme) ? PROTOCOLS[scheme] : undefined;
  if (protocols === undefined) {
    throw new KliegError(
      "bad_request",
      `Addresses that begin with ${scheme === "" ? "nothing" : scheme} are not opened.`,
    );
  }
  if (!/^[a-z][a-z0-9]*:\/\/[^\s/?#]+\S*$/i.test(url)) {
    throw new KliegError("bad_request", "The address has no server in it, or a space.");
  }
  const args = [...decoding, ...look, "-protocol_whitelist", protocols];
  if (scheme === "rtsp" || scheme === "rtsps") args.push(...rtspArguments(input));
  const typed = /^[a-z0-9]+:\/\/[^/?#]*?:([^/?#]*)@/i.exec(url)?.[1];
  const known = [typed, password].filter((secret) => secret !== undefined && secret !== "") as string[];
  const secrets = known.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  if (scheme === "srt") {
    const key = password === undefined ? [] : ["-passphrase", password];
    return { args: [...args, ...key, "-i", url], isFile: false, secrets };
  }
  return { args: [...args, "-i", withPassword(url, password)], isFile: false, secrets };
}

/** A file of the show, played at its own pace. @param path absolute. */
export function fileInput(
  path: string,
  options: { readonly loop: boolean; readonly hardwareDecode: boolean },
): FfmpegInput {
  const { loop, hardwareDecode } = options;
  const args = [
    ...(hardwareDecode ? ["-hwaccel", "auto"] : []),
    "-re",
    ...(loop ? ["-stream_loop", "-1"] : []),
    ...["-protocol_whitelist", "file", "-format_whitelist", FILE_FORMATS, "-i", `file:${path}`],
  ];
  return { args, isFile: true, secrets: [] };
}

/** FFmpeg's words without what must not be repeated. */
export function withoutSecrets(words: string, { secrets }: FfmpegInput): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, "•••"), words);
}

function rtspArguments({ transport, low_latency: quick }: StreamInput): string[] {
  const way = transport === "auto" ? ["-rtsp_flags", "prefer_tcp"] : ["-rtsp_transport", transport];
  return [...way, "-max_delay", quick ? REORDERING.quick : REORDERING.patient];
}

function deviceArguments(scheme: string, url: string): string[] {
  const [name = "", query = ""] = url.slice(scheme.length + 1).split("?", 2);
  if (!DEVICES[scheme]?.test(name)) {
    throw new KliegError("bad_request", `That is no name of a device of ${scheme}.`);
  }
  const options: string[] = [];
  for (const [option, value] of new URLSearchParams(query)) {
    if (!Object.hasOwn(DEVICE_OPTIONS, option) || !DEVICE_OPTIONS[option]?.test(value)) {
      throw new KliegError("bad_request", `A device cannot be asked for ${option.slice(0, 40)} like that.`);
    }
    options.push(`-${option}`, value);
  }
  return ["-f", scheme, ...options, "-i", name];
}

function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url;
  const encoded = encodeURIComponent(password);
  const [, scheme, user, rest] = /^([a-z0-9]+:\/\/)(?:([^/?#@]*)@)?(.*)$/is.exec(url) ?? [];
  const name = user?.split(":", 1)[0] ?? "";
  return `${scheme}${name}:${encoded}@${rest}`;
}
