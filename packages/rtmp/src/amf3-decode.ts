import { AmfCursor } from "./amf-cursor.ts";
import {
  AmfBudget,
  AmfEcmaArray,
  type AmfObject,
  type AmfReferent,
  AmfTypedObject,
  type AmfValue,
  AmfXml,
  amfObject,
  DEFAULT_AMF_LIMITS,
} from "./amf-value.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

interface Traits {
  readonly className: string;
  readonly dynamic: boolean;
  readonly names: readonly string[];
}

const MAX_SEALED_NAMES = 256;

/**
 * Reads AMF3 values (AMF3 specification, 2013). Externalizable objects carry bytes that only their class can read, so
 * they are an error. Dictionaries keep the entries whose keys are strings or numbers.
 */
export class Amf3Reader {
  readonly #cursor: AmfCursor;
  readonly #budget: AmfBudget;
  readonly #strings: string[] = [];
  readonly #objects: AmfReferent[] = [];
  readonly #traits: Traits[] = [];
  #depth: number;

  /** @param budget shared with the AMF0 value that this one sits in, as is `depth`. */
  constructor(body: Buffer, offset = 0, budget = new AmfBudget(DEFAULT_AMF_LIMITS), depth = 0) {
    this.#cursor = new AmfCursor(body, offset, "AMF3");
    this.#budget = budget;
    this.#depth = depth;
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
        return undefined;
      case 0x01:
        return null;
      case 0x02:
        return false;
      case 0x03:
        return true;
      case 0x04:
        return (this.#u29() << 3) >> 3; // 29 bits, signed
      case 0x05:
        return this.#cursor.double();
      case 0x06:
        return this.#string();
      case 0x07:
      case 0x0b:
        return this.#sized((length) => new AmfXml(this.#cursor.utf8(length)));
      case 0x08:
        return this.#referable((flags) => {
          if (flags !== 0) throw new RtmpProtocolError("amf_invalid", "AMF3 date with a length");
          return new Date(this.#cursor.double());
        });
      case 0x09:
        return this.#array();
      case 0x0a:
        return this.#object();
      case 0x0c:
        return this.#sized((length) => {
          const start = this.#cursor.advance(length);
          return Buffer.from(this.#cursor.body.subarray(start, start + length));
        });
      case 0x0d:
        return this.#vector(() => this.#cursor.i32());
      case 0x0e:
        return this.#vector(() => this.#cursor.u32());
      case 0x0f:
        return this.#vector(() => this.#cursor.double());
      case 0x10:
        return this.#objectVector();
      case 0x11:
        return this.#dictionary();
      default:
        throw new RtmpProtocolError(
          "amf_invalid",
          `AMF3 marker 0x${marker.toString(16)} at byte ${this.#cursor.offset - 1}`,
        );
    }
  }

  #array(): AmfValue {
    const length = this.#header();
    if (typeof length !== "number") return length.value;
    const named = amfObject();
    let hasNames = false;
    const dense: AmfValue[] = [];
    // Which of the two it is shows only once the names are read, yet a reference from inside needs its place now;
    // such a reference is a cycle and refused, so the place may be filled in late.
    const done = this.#enter(dense);
    for (let name = this.#string(); name !== ""; name = this.#string()) {
      hasNames = true;
      named[name] = this.value();
    }
    for (let i = 0; i < length; i++) dense.push(this.value());
    if (!hasNames) {
      done(dense);
      return dense;
    }
    for (let i = 0; i < dense.length; i++) named[i] = dense[i];
    const array = new AmfEcmaArray(named);
    done(array);
    return array;
  }

  #object(): AmfValue {
    const header = this.#header();
    if (typeof header !== "number") return header.value;
    const traits = this.#readTraits(header);
    const values: AmfObject = amfObject();
    const object = traits.className === "" ? values : new AmfTypedObject(traits.className, values);
    const done = this.#enter(object);
    for (const name of traits.names) values[name] = this.value();
    if (traits.dynamic) {
      for (let name = this.#string(); name !== ""; name = this.#string()) values[name] = this.value();
    }
    done(object);
    return object;
  }

  #readTraits(header: number): Traits {
    if ((header & 1) === 0) {
      const traits = this.#traits[header >>> 1];
      if (traits === undefined) throw new RtmpProtocolError("amf_invalid", "AMF3 reference to unknown traits");
      return traits;
    }
    if ((header & 2) !== 0) throw new RtmpProtocolError("amf_invalid", "AMF3 externalizable objects cannot be read");
    const count = header >>> 3;
    if (count > MAX_SEALED_NAMES) throw new RtmpProtocolError("amf_invalid", `AMF3 class with ${count} members`);
    const className = this.#string();
    const names: string[] = [];
    for (let i = 0; i < count; i++) names.push(this.#string());
    const traits: Traits = { className, dynamic: (header & 4) !== 0, names };
    this.#budget.take(1 + count);
    this.#traits.push(traits);
    return traits;
  }

  #vector(read: () => number): AmfValue {
    const length = this.#header();
    if (typeof length !== "number") return length.value;
    this.#cursor.u8(); // whether its length is fixed
    this.#budget.take(length);
    const vector: AmfValue[] = [];
    const done = this.#enter(vector);
    for (let i = 0; i < length; i++) vector.push(read());
    done(vector);
    return vector;
  }

  #objectVector(): AmfValue {
    const length = this.#header();
    if (typeof length !== "number") return length.value;
    this.#cursor.u8();
    this.#string(); // the type of its elements
    const vector: AmfValue[] = [];
    const done = this.#enter(vector);
    for (let i = 0; i < length; i++) vector.push(this.value());
    done(vector);
    return vector;
  }

  #dictionary(): AmfValue {
    const length = this.#header();
    if (typeof length !== "number") return length.value;
    this.#cursor.u8(); // whether its keys are weak
    const values = amfObject();
    const dictionary = new AmfEcmaArray(values);
    const done = this.#enter(dictionary);
    for (let i = 0; i < length; i++) {
      const key = this.value();
      const value = this.value();
      if (typeof key === "string" || typeof key === "number") values[key] = value;
    }
    done(dictionary);
    return dictionary;
  }

  /** The number in a U29 whose lowest bit says "here it comes", or what a reference names. */
  #header(): number | AmfReferent {
    const header = this.#u29();
    if ((header & 1) !== 0) return header >>> 1;
    const referent = this.#objects[header >>> 1];
    if (referent === undefined) throw new RtmpProtocolError("amf_invalid", "AMF3 reference to nothing");
    if (referent.weight === undefined) throw new RtmpProtocolError("amf_invalid", "AMF3 value contains itself");
    this.#budget.take(referent.weight);
    return referent;
  }

  #enter(value: AmfValue): (value: AmfValue) => void {
    this.#budget.checkDepth(++this.#depth);
    const before = this.#budget.used;
    const referent: AmfReferent = { value, weight: undefined };
    this.#objects.push(referent);
    return (finished) => {
      referent.value = finished;
      referent.weight = this.#budget.used - before + 1;
      this.#depth--;
    };
  }

  #referable(read: (header: number) => AmfValue): AmfValue {
    const header = this.#header();
    if (typeof header !== "number") return header.value;
    const value = read(header);
    this.#objects.push({ value, weight: 1 });
    return value;
  }

  #sized(read: (length: number) => AmfValue): AmfValue {
    return this.#referable(read);
  }

  #string(): string {
    const header = this.#u29();
    if ((header & 1) === 0) {
      const string = this.#strings[header >>> 1];
      if (string === undefined) throw new RtmpProtocolError("amf_invalid", "AMF3 reference to an unknown string");
      return string;
    }
    const length = header >>> 1;
    if (length === 0) return "";
    const string = this.#cursor.utf8(length);
    this.#strings.push(string);
    return string;
  }

  #u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#cursor.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#cursor.u8();
  }
}
