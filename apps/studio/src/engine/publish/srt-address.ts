import { KliegError } from "@klieg/protocol";
import { isPassphraseLength } from "@klieg/srt";

/** An SRT address taken apart. */
export interface SrtTarget {
  readonly host: string;
  readonly port: number;
  readonly streamId: string;
  readonly passphrase: string | undefined;
  /** What the receiver is asked to wait for what is missing, ms. */
  readonly latencyMs: number;
}

/** Long enough for a few retransmissions over a continent, short enough for a stream that is seen within two seconds. */
const DEFAULT_LATENCY_MS = 300;
const MOST_LATENCY_MS = 8000;

/**
 * @param url `srt://HOST:PORT?streamid=…&passphrase=…&latency=MS`
 * @param secrets take the place of those in the address.
 * @throws KliegError `bad_request`
 */
export function parseSrtUrl(
  url: string,
  secrets: { readonly streamId?: string | undefined; readonly passphrase?: string | undefined } = {},
): SrtTarget {
  const parsed = URL.parse(url.trim());
  const host = parsed?.hostname.replace(/^\[|\]$/g, "") ?? "";
  const port = Number(parsed?.port ?? "");
  if (parsed === null || parsed.protocol !== "srt:" || host === "" || !(port >= 1)) {
    throw new KliegError("bad_request", "An SRT address is srt://HOST:PORT.");
  }
  const query = parsed.searchParams;
  const mode = query.get("mode");
  if (mode !== null && mode !== "caller") {
    throw new KliegError("bad_request", "The studio calls: an SRT address with another mode cannot be used.");
  }
  const passphrase = secrets.passphrase ?? query.get("passphrase") ?? undefined;
  if (passphrase !== undefined && passphrase !== "" && !isPassphraseLength(passphrase)) {
    throw new KliegError("passphrase_wrong", "An SRT passphrase has 10 to 79 characters.");
  }
  const latency = Number(query.get("latency") ?? DEFAULT_LATENCY_MS);
  return {
    host,
    port,
    streamId: secrets.streamId ?? query.get("streamid") ?? "",
    passphrase: passphrase === "" ? undefined : passphrase,
    latencyMs: Number.isFinite(latency) ? Math.min(MOST_LATENCY_MS, Math.max(20, latency)) : DEFAULT_LATENCY_MS,
  };
}
