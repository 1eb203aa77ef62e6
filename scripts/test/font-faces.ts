interface FontFace {
  readonly family: string;
  readonly url: string;
  readonly covers: (codePoint: number) => boolean;
}

/**
 * Addresses of the fonts that a browser loads for `text`: in each family of the style sheet's `@font-face` rules, the
 * last rule whose `unicode-range` has the character. Every family is taken to be used.
 */
export function fontsFor(css: string, text: string): readonly string[] {
  const byFamily = Map.groupBy(fontFaces(css), ({ family }) => family);
  const urls = new Set<string>();
  for (const faces of byFamily.values()) {
    for (const character of text) {
      const face = faces.findLast(({ covers }) => covers(character.codePointAt(0) ?? 0));
      if (face !== undefined) urls.add(face.url);
    }
  }
  return [...urls];
}

function fontFaces(css: string): readonly FontFace[] {
  return [...css.matchAll(/@font-face\s*\{([^}]*)\}/g)].map(([, body = ""]) => {
    const url = /src:\s*url\(["']?([^"')]+)/.exec(body)?.[1];
    const family = /font-family:\s*["']?([^;"']+)/.exec(body)?.[1];
    if (url === undefined || family === undefined) throw new Error(`a font face without a source or name: ${body}`);
    const ranges = /unicode-range:\s*([^;]+)/.exec(body)?.[1]?.split(",").map(rangeOf);
    const covers = (codePoint: number) =>
      ranges === undefined || ranges.some(([first, last]) => codePoint >= first && codePoint <= last);
    return { family, url, covers };
  });
}

/** `U+26`, `U+0-7F` or `U+4??`. */
function rangeOf(text: string): readonly [first: number, last: number] {
  const [from = "", to] = text.trim().slice(2).split("-");
  const first = Number.parseInt(from.replaceAll("?", "0"), 16);
  const last = Number.parseInt(to ?? from.replaceAll("?", "F"), 16);
  return [first, last];
}
