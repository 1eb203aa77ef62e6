import { findMissingPackages, missingPackagesInWords, SYSTEM_PACKAGES } from "../../scripts/test/system-packages.ts";

/**
 * Fails the tests of a file where programs that they run are not installed: they are never skipped in silence.
 * @param names Debian packages, all of them known to `npm test`.
 * @throws {Error} naming what is missing and the command that gets it.
 */
export function requirePackages(...names: readonly string[]): void {
  const known = new Set(SYSTEM_PACKAGES.map(({ debian }) => debian));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`npm test does not install ${unknown.join(", ")}`);
  const missing = findMissingPackages().missing.filter(({ debian }) => names.includes(debian));
  if (missing.length > 0) throw new Error(missingPackagesInWords(missing));
}
