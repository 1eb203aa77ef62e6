/** A run of a text: plain, or an address that can be followed. */
export interface TextRun {
  readonly text: string;
  readonly href: string | null;
}

const ADDRESS = /https?:\/\/[^\s<>"']+/g;
/** Ends a sentence more often than an address. */
const TRAILING = /[.,;:!?)\]}»”’]+$/;

/** Finds the addresses in what somebody wrote. Only http and https: nothing that runs. Pure. */
export function linkedText(text: string): readonly TextRun[] {
  const runs: TextRun[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    if (!URL.canParse(address)) continue;
    if (match.index > from) runs.push({ text: text.slice(from, match.index), href: null });
    runs.push({ text: address, href: address });
    from = match.index + address.length;
  }
  if (from < text.length) runs.push({ text: text.slice(from), href: null });
  return runs;
}
