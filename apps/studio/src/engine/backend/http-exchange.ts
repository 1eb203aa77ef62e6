import { ErrorBody, type ErrorCode, KliegError } from "@klieg/protocol";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: URL;
  /** Stream key. */
  readonly bearer?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Default {@link ANSWER_MS}. */
  readonly timeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const ANSWER_MS = 10_000;
/** No answer that is wanted here is larger, bytes. */
const MAX_ANSWER = 1024 * 1024;
const MAX_WORDS = 300;

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "names cannot be looked up at the moment: is this computer online?",
  ECONNREFUSED: "nothing answers at this address and port",
  ECONNRESET: "it hung up",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it: is this computer online?",
  ETIMEDOUT: "it does not answer",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer",
  UND_ERR_SOCKET: "it hung up",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate was signed by nobody who is known",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate was signed by nobody who is known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate was signed by nobody who is known",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another address",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak HTTPS there: try http://",
};

/**
 * One request and its answer, bounded in time and size. Redirections are not followed: a key goes only where its owner sent it.
 * @throws {KliegError} `unreachable` where there is no answer; `timeout`.
 */
export async function exchange(request: HttpRequest): Promise<HttpAnswer> {
  const { method, url, bearer, headers, body, signal, timeoutMs = ANSWER_MS } = request;
  const patience = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: { ...headers, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) },
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, text: await textOf(response) };
  } catch (error) {
    if (error instanceof KliegError) throw error;
    if (patience.aborted) throw new KliegError("timeout", `${url.host} does not answer.`, { cause: error });
    signal?.throwIfAborted();
    throw new KliegError("unreachable", `${url.host} cannot be reached: ${reasonOf(error)}.`, { cause: error });
  }
}

/** The error that an answer tells of, in the words of its server. */
export function refusalOf(url: URL, answer: HttpAnswer): KliegError {
  const parsed = ErrorBody.safeParse(parseJson(answer.text));
  if (parsed.success) {
    const { code, message } = parsed.data.error;
    return new KliegError(code, message.slice(0, MAX_WORDS));
  }
  return new KliegError(
    codeOf(answer.status),
    `${url.host} answers with ${answer.status}, not as a Klieg backend does.`,
  );
}

/** @returns undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever asked says what it should have been.
  }
}

/** Where the other end is no Klieg backend, or something stands before it that answers for it. */
function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404 || status === 405) return "not_found";
  if (status === 429) return "rate_limited";
  return "unreachable";
}

async function textOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels what is still to come.
    if (size > MAX_ANSWER) throw new KliegError("unreachable", "The server's answer is far too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(error: unknown): string {
  let deepest = String(error);
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const code = (at as NodeJS.ErrnoException).code;
    if (code !== undefined) return WORDS[code] ?? code;
    // Several addresses were tried: the first failure says as much as the others.
    if (at instanceof AggregateError && at.errors.length > 0) return reasonOf(at.errors[0]);
    deepest = at.message;
  }
  return deepest;
}
