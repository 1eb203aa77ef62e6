/** What a client asked of a playlist request (RFC 8216bis §6.2.5). */
export interface DeliveryDirectives {
  /** `_HLS_msn` */
  readonly msn?: number;
  /** `_HLS_part` */
  readonly part?: number;
  /** `_HLS_skip=YES` or `v2`. Any other value is ignored, as an unknown directive would be. */
  readonly skip: boolean;
}

/**
 * Reads the delivery directives of a query string.
 * @param get value of a query parameter, undefined where absent.
 * @returns undefined when a number is not a decimal-integer of at most 2^53-1.
 */
export function parseDeliveryDirectives(get: (name: string) => string | undefined): DeliveryDirectives | undefined {
  const msn = decimalInteger(get("_HLS_msn"));
  const part = decimalInteger(get("_HLS_part"));
  if (msn === null || part === null) return undefined;
  const skip = get("_HLS_skip");
  return {
    skip: skip === "YES" || skip === "v2",
    ...(msn === undefined ? {} : { msn }),
    ...(part === undefined ? {} : { part }),
  };
}

function decimalInteger(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
