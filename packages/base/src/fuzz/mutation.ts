import type { FuzzRandom } from "./fuzz-random.ts";

type Mutation = (input: Uint8Array, random: FuzzRandom, corpus: readonly Uint8Array[]) => Uint8Array;

const INTERESTING_BYTES = [0x00, 0x01, 0x02, 0x03, 0x0f, 0x10, 0x40, 0x47, 0x7f, 0x80, 0xb7, 0xfe, 0xff];

/** One to eight mutations of a corpus entry, one after the other; never longer than `maxBytes`. */
export function mutate(corpus: readonly Uint8Array[], random: FuzzRandom, maxBytes: number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(random.pick(corpus));
  let rounds = 1;
  while (rounds < 8 && random.oneIn(2)) rounds += 1;
  for (let i = 0; i < rounds; i += 1) bytes = random.pick(MUTATIONS)(bytes, random, corpus);
  return bytes.length > maxBytes ? bytes.slice(0, maxBytes) : bytes;
}

const flipBits: Mutation = (input, random) => {
  for (let n = 1 + random.below(4); n > 0 && input.length > 0; n -= 1) {
    const at = random.below(input.length);
    input[at] = (input[at] as number) ^ (1 << random.below(8));
  }
  return input;
};

const setBytes: Mutation = (input, random) => {
  for (let n = 1 + random.below(4); n > 0 && input.length > 0; n -= 1) {
    input[random.below(input.length)] = random.oneIn(2) ? random.pick(INTERESTING_BYTES) : random.u32();
  }
  return input;
};

/** Early bytes hold the lengths and counts: half of the time one of the first 32 is meant. */
function position(input: Uint8Array, random: FuzzRandom): number {
  return random.below(random.oneIn(2) ? Math.min(input.length, 32) : input.length);
}

const setLengthField: Mutation = (input, random) => {
  const size = random.pick([1, 2, 2, 3, 4, 4, 8]);
  if (input.length < size) return input;
  const at = Math.min(position(input, random), input.length - size);
  const left = input.length - at - size;
  const max = 2 ** (8 * Math.min(size, 4)) - 1;
  const value = random.pick([
    0,
    1,
    left - 1,
    left,
    left + 1,
    input.length,
    max,
    max - 1,
    (max + 1) / 2,
    (max + 1) / 2 - 1,
  ]);
  const littleEndian = random.oneIn(4);
  for (let i = 0; i < size; i += 1) {
    const shift = littleEndian ? i : size - 1 - i;
    input[at + i] = shift < 4 ? Math.floor(value / 2 ** (8 * shift)) : value === max ? 0xff : 0;
  }
  return input;
};

const addToField: Mutation = (input, random) => {
  if (input.length === 0) return input;
  const at = position(input, random);
  input[at] = (input[at] as number) + random.pick([1, -1, 2, -2, 16, -16]);
  return input;
};

const truncate: Mutation = (input, random) => {
  const at = random.below(input.length + 1);
  return random.oneIn(4) ? input.slice(at) : input.slice(0, at);
};

const remove: Mutation = (input, random) => {
  const at = random.below(input.length);
  const count = 1 + random.below(random.oneIn(2) ? 4 : input.length - at);
  return join(input.subarray(0, at), input.subarray(Math.min(at + count, input.length)));
};

const insert: Mutation = (input, random) => {
  const at = random.below(input.length + 1);
  const count = 1 + random.below(random.oneIn(8) ? 512 : 16);
  const extra = random.oneIn(2) ? random.bytes(count) : new Uint8Array(count).fill(random.pick(INTERESTING_BYTES));
  return join(input.subarray(0, at), extra, input.subarray(at));
};

const repeat: Mutation = (input, random) => {
  const at = random.below(input.length);
  const chunk = input.subarray(at, at + 1 + random.below(random.oneIn(2) ? 16 : input.length - at));
  const copies = new Array<Uint8Array>(1 + random.below(random.oneIn(8) ? 64 : 4)).fill(chunk);
  return join(input.subarray(0, at), ...copies, input.subarray(at));
};

const splice: Mutation = (input, random, corpus) => {
  const other = random.pick(corpus);
  const at = random.below(input.length + 1);
  const from = random.below(other.length + 1);
  if (random.oneIn(2)) return join(input.subarray(0, at), other.subarray(from));
  const count = random.below(other.length - from + 1);
  return join(input.subarray(0, at), other.subarray(from, from + count), input.subarray(at));
};

const swap: Mutation = (input, random) => {
  if (input.length < 2) return input;
  const middle = 1 + random.below(input.length - 1);
  return join(input.subarray(middle), input.subarray(0, middle));
};

const noise: Mutation = (_input, random) => random.bytes(random.below(256));

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  setBytes,
  setBytes,
  setLengthField,
  setLengthField,
  setLengthField,
  addToField,
  addToField,
  truncate,
  truncate,
  remove,
  insert,
  repeat,
  splice,
  swap,
  noise,
];

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
