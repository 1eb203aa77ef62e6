import { safeStorage } from "electron";
import type { Keychain } from "./engine-host.ts";

/**
 * The system's keychain; ready once the app is.
 * @returns undefined where there is none. Electron then seals with a key that everybody knows, which is worse than a file that
 * only its user can read, since it looks like more.
 */
export function systemKeychain(): Keychain | undefined {
  if (!safeStorage.isEncryptionAvailable()) return undefined;
  if (process.platform === "linux" && safeStorage.getSelectedStorageBackend() === "basic_text") return undefined;
  return {
    seal: (bytes) => safeStorage.encryptString(Buffer.from(bytes).toString("base64")),
    open: (bytes) => Buffer.from(safeStorage.decryptString(Buffer.from(bytes)), "base64"),
  };
}
