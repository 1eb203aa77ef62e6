/** An address to publish to, taken apart. */
export interface RtmpTarget {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Sent as it is in the URL, query string included. */
  readonly app: string;
  /** What connect tells the server: the URL up to and including the application. */
  readonly tcUrl: string;
  readonly streamKey: string;
}

/**
 * @param url `rtmp://HOST[:PORT]/APP` or `rtmps://…`; the default ports are 1935 and 443
 * @param streamKey the stream name, sent as it is; left out, it is what follows the last `/` of the URL's path
 * @throws TypeError when the URL is none, has another scheme, names no application, or no key is to be had
 */
export function parseRtmpUrl(url: string, streamKey?: string): RtmpTarget {
  const parsed = URL.parse(url.trim());
  const secure = parsed?.protocol === "rtmps:";
  if (parsed === null || (!secure && parsed.protocol !== "rtmp:") || parsed.hostname === "") {
    throw new TypeError("An RTMP address begins with rtmp:// or rtmps:// and a host.");
  }
  let path = parsed.pathname.replace(/^\/+/, "");
  let query = parsed.search;
  let key = streamKey;
  if (key === undefined) {
    const slash = path.lastIndexOf("/");
    key = slash < 0 ? "" : path.slice(slash + 1) + query;
    path = slash < 0 ? path : path.slice(0, slash);
    query = "";
  }
  const app = path.replace(/\/+$/, "") + query;
  if (app === "") throw new TypeError("The RTMP address names no application, as in rtmp://host/live.");
  if (key === "") throw new TypeError("There is no stream key.");
  return {
    secure,
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (secure ? 443 : 1935) : Number(parsed.port),
    app,
    tcUrl: `${parsed.protocol}//${parsed.host}/${app}`,
    streamKey: key,
  };
}
