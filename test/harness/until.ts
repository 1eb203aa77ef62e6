import { setTimeout as after } from "node:timers/promises";

/**
 * Asks again and again until there is an answer: for what only can be asked, such as another process's API. Where an
 * event can be waited for, wait for the event.
 * @throws where there is none in time; `diagnose` says what else is known.
 */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { what: string; timeoutMs?: number; everyMs?: number; diagnose?: () => string },
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 20_000);
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await after(options.everyMs ?? 50);
  }
  const why = last === undefined ? "" : ` (${String(last)})`;
  throw new Error(`not in time: ${options.what}${why}\n${options.diagnose?.() ?? ""}`);
}
