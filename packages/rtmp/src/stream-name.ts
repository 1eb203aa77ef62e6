/** A name as commands carry it, taken apart. */
export interface NameWithQuery {
  /** Percent-decoded, without the slashes around it. */
  readonly name: string;
  readonly query: URLSearchParams;
}

/**
 * Splits `live?token=…` or `KEY?backup=1` into name and query parameters. A name that is not well-formed
 * percent-encoding is taken as it stands.
 */
export function splitName(text: string): NameWithQuery {
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    name: decode(path.replace(/^\/+|\/+$/g, "")),
    query: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)),
  };
}

function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
