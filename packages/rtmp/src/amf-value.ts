import { RtmpProtocolError } from "./rtmp-error.ts";

/** Every value that AMF0 or AMF3 can carry, as JavaScript sees it. */
export type AmfValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | Date
  | Buffer
  | AmfValue[]
  | AmfEcmaArray
  | AmfTypedObject
  | AmfXml
  | AmfObject;

/** An anonymous object. Made without a prototype, so that `__proto__` is a name like any other. */
export interface AmfObject {
  [name: string]: AmfValue;
}

/** An associative array: what onMetaData usually is. */
export class AmfEcmaArray {
  readonly values: AmfObject;

  constructor(values: AmfObject) {
    this.values = values;
  }
}

/** An object with a registered class name. */
export class AmfTypedObject {
  readonly className: string;
  readonly values: AmfObject;

  constructor(className: string, values: AmfObject) {
    this.className = className;
    this.values = values;
  }
}

/** An XML document, left as text: nobody here has a use for its nodes. */
export class AmfXml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The named values of an object, ECMA array or typed object; undefined for anything else. */
export function amfRecord(value: AmfValue): AmfObject | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof AmfEcmaArray || value instanceof AmfTypedObject) return value.values;
  if (Array.isArray(value) || value instanceof Date || value instanceof AmfXml || Buffer.isBuffer(value)) {
    return undefined;
  }
  return value;
}

/** An object without a prototype that holds `entries`. */
export function amfObject(entries: { readonly [name: string]: AmfValue } = {}): AmfObject {
  return Object.assign(Object.create(null), entries) as AmfObject;
}

/** Bounds on what one AMF body may hold, counted as if every reference were written out. */
export interface AmfLimits {
  /** Nesting of objects and arrays. */
  readonly maxDepth: number;
  /** Values, with what each reference refers to counted again. */
  readonly maxValues: number;
}

export const DEFAULT_AMF_LIMITS: AmfLimits = { maxDepth: 16, maxValues: 8192 };

/**
 * Counts values against the limits while one body is decoded. References are what makes counting needed: without it
 * thirty arrays of two references each would be a tree of 2^30 values to whoever walks the result.
 */
export class AmfBudget {
  readonly limits: AmfLimits;
  #used = 0;

  constructor(limits: AmfLimits) {
    this.limits = limits;
  }

  /** Values counted so far. */
  get used(): number {
    return this.#used;
  }

  /** @throws RtmpProtocolError `amf_invalid` when the limit is passed. */
  take(values: number): void {
    this.#used += values;
    if (this.#used > this.limits.maxValues) {
      throw new RtmpProtocolError("amf_invalid", `AMF body holds more than ${this.limits.maxValues} values`);
    }
  }

  /** @throws RtmpProtocolError `amf_invalid` when `depth` is beyond the limit. */
  checkDepth(depth: number): void {
    if (depth > this.limits.maxDepth) {
      throw new RtmpProtocolError("amf_invalid", `AMF body nests deeper than ${this.limits.maxDepth}`);
    }
  }
}

/** A finished or unfinished complex value that a later reference may name. */
export interface AmfReferent {
  value: AmfValue;
  /** Values inside, itself included; undefined while it is still being read (a reference now would be a cycle). */
  weight: number | undefined;
}
