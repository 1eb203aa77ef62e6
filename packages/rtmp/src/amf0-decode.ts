import { AmfCursor } from "./amf-cursor.ts";
import {
  AmfBudget,
  AmfEcmaArray,
  type AmfLimits,
  type AmfObject,
  type AmfReferent,
  AmfTypedObject,
  type AmfValue,
  AmfXml,
  amfObject,
  DEFAULT_AMF_LIMITS,
} from "./amf-value.ts";
import { Amf3Reader } from "./amf3-decode.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

/**
 * Decodes every value of an AMF0 body, in order (AMF0 specification, 2007). Values after the AVM+ marker are AMF3.
 * @throws RtmpProtocolError `amf_invalid` for anything malformed, cut short or beyond the limits.
 */
export function decodeAmf0(body: Buffer, offset = 0, limits: AmfLimits = DEFAULT_AMF_LIMITS): AmfValue[] {
  const reader = new Amf0Reader(body, offset, limits);
  const values: AmfValue[] = [];
  while (!reader.atEnd) values.push(reader.value());
  return values;
}

/** Reads AMF0 values one after the other. */
export class Amf0Reader {
  readonly #cursor: AmfCursor;
  readonly #budget: AmfBudget;
  readonly #referents: AmfReferent[] = [];
  #depth = 0;

  constructor(body: Buffer, offset = 0, limits: AmfLimits = DEFAULT_AMF_LIMITS) {
    this.#cursor = new AmfCursor(body, offset, "AMF0");
    this.#budget = new AmfBudget(limits);
  }

  get atEnd(): boolean {
    return this.#cursor.atEnd;
  }

  /** Bytes read so far, counted from the start of the body. */
  get offset(): number {
    return this.#cursor.offset;
  }

  /** @throws RtmpProtocolError `amf_invalid` */
  value(): AmfValue {
    this.#budget.take(1);
    const marker = this.#cursor.u8();
    switch (marker) {
      case 0x00:
        return this.#cursor.double();
      case 0x01:
        return this.#cursor.u8() !== 0;
      case 0x02:
        return this.#cursor.utf8(this.#cursor.u16());
      case 0x03:
        return this.#complex(amfObject(), (value) => this.#properties(value));
      case 0x05:
        return null;
      case 0x06:
      case 0x0d: // "unsupported": what the writer could not express
        return undefined;
      case 0x07:
        return this.#reference();
      case 0x08: {
        this.#cursor.advance(4); // the count is a hint that real encoders get wrong; the end marker decides
        return this.#complex(new AmfEcmaArray(amfObject()), (value) => this.#properties(value.values, true));
      }
      case 0x0a: {
        const length = this.#cursor.u32();
        return this.#complex<AmfValue[]>([], (array) => {
          for (let i = 0; i < length; i++) array.push(this.value());
        });
      }
      case 0x0b: {
        const ms = this.#cursor.double();
        this.#cursor.advance(2); // time zone: reserved, to be zero
        return new Date(ms);
      }
      case 0x0c:
        return this.#cursor.utf8(this.#cursor.u32());
      case 0x0f:
        return new AmfXml(this.#cursor.utf8(this.#cursor.u32()));
      case 0x10: {
        const className = this.#cursor.utf8(this.#cursor.u16());
        return this.#complex(new AmfTypedObject(className, amfObject()), (value) => this.#properties(value.values));
      }
      case 0x11: {
        const amf3 = new Amf3Reader(this.#cursor.body, this.#cursor.offset, this.#budget, this.#depth);
        const value = amf3.value();
        this.#cursor.offset = amf3.offset;
        return value;
      }
      default:
        throw new RtmpProtocolError(
          "amf_invalid",
          `AMF0 marker 0x${marker.toString(16)} at byte ${this.#cursor.offset - 1}`,
        );
    }
  }

  #complex<Value extends AmfValue>(value: Value, fill: (value: Value) => void): Value {
    this.#budget.checkDepth(++this.#depth);
    const before = this.#budget.used;
    const referent: AmfReferent = { value, weight: undefined };
    this.#referents.push(referent);
    fill(value);
    referent.weight = this.#budget.used - before + 1;
    this.#depth--;
    return value;
  }

  /** @param mayEndWithBody some encoders leave out the end marker of a metadata array that ends its message. */
  #properties(into: AmfObject, mayEndWithBody = false): void {
    for (;;) {
      if (mayEndWithBody && this.atEnd) return;
      const length = this.#cursor.u16();
      if (length === 0 && this.#cursor.body[this.#cursor.offset] === 0x09) {
        this.#cursor.advance(1);
        return;
      }
      const name = this.#cursor.utf8(length);
      into[name] = this.value();
    }
  }

  #reference(): AmfValue {
    const index = this.#cursor.u16();
    const referent = this.#referents[index];
    if (referent === undefined) throw new RtmpProtocolError("amf_invalid", `AMF0 reference ${index} to nothing`);
    if (referent.weight === undefined) throw new RtmpProtocolError("amf_invalid", "AMF0 value contains itself");
    this.#budget.take(referent.weight);
    return referent.value;
  }
}
