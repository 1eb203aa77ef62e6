import type { Section } from "../../bench/section.ts";

const TITLE = `# Results

What \`npm run bench\` measured, each section with the machine that it ran on. Ratios to a peer in the same run carry
over to other machines; the bare figures do not.
`;

/** RESULTS.md with the section of `bench` replaced, or added at the end. `existing`: its text so far, empty at first. */
export function withSection(existing: string, bench: string, section: Section, machine: string, when: Date): string {
  const text = existing.trim() === "" ? TITLE : existing;
  const begin = `<!-- bench: ${bench} -->`;
  const end = `<!-- end: ${bench} -->`;
  const block = `${begin}\n${render(bench, section, machine, when)}\n${end}`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to === -1) return `${text.trimEnd()}\n\n${block}\n`;
  return text.slice(0, from) + block + text.slice(to + end.length);
}

function render(bench: string, section: Section, machine: string, when: Date): string {
  const parts = [`## ${bench}`, section.summary];
  if (section.table !== undefined) parts.push(table(section.table.columns, section.table.rows));
  if (section.verdicts.length > 0) {
    const rows = section.verdicts.map(({ what, measured, budget, holds }) => [
      what,
      measured,
      budget,
      holds ? "holds" : "**missed**",
    ]);
    parts.push(table(["", "measured", "budget", ""], rows));
  }
  if (section.notes !== undefined) parts.push(section.notes.map((note) => `- ${note}`).join("\n"));
  parts.push(`_${when.toISOString().slice(0, 10)}, ${machine}_`);
  return parts.join("\n\n");
}

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}
