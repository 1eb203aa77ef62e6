/** `value` modulo `modulus`, from -modulus/2 to just under modulus/2. */
export function centredModulo(value: number, modulus: number): number {
  const half = modulus / 2;
  const shifted = (value + half) % modulus;
  return (shifted < 0 ? shifted + modulus : shifted) - half;
}
