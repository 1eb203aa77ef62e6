import { z } from "zod";

/** sRGB with alpha, as CSS writes it: `#rrggbb` or `#rrggbbaa`, lower case. */
export const Colour = z
  .string()
  .regex(/^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$/, "a colour is #rrggbb or #rrggbbaa")
  .transform((text) => text.toLowerCase());
export type Colour = z.infer<typeof Colour>;

/** The four components, 0 to 1, not premultiplied. */
export function componentsOf(colour: Colour): readonly [red: number, green: number, blue: number, alpha: number] {
  const at = (index: number) => Number.parseInt(colour.slice(index, index + 2), 16) / 255;
  return [at(1), at(3), at(5), colour.length === 9 ? at(7) : 1];
}
