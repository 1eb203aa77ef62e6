/** What the app did with APIs that show nothing: told to the test, one line of JSON each, on standard output. */
export function note(what: string, detail?: unknown): void {
  process.stdout.write(`stand-in ${JSON.stringify({ what, detail })}\n`);
}
