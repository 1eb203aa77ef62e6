import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";

const Installation = z.object({
  version: z.literal(1),
  /** Signs stream keys; 64 hexadecimal digits. */
  stream_key_secret: z.string().regex(/^[0-9a-f]{64}$/),
  admin_token: z.string().min(16),
});

export interface InstallationSecrets {
  readonly streamKeySecret: Uint8Array;
  readonly adminToken: string;
}

/**
 * The secrets of this installation, made on the first start and kept in `installation.json` (mode 0600).
 * @throws {Error} where the file is damaged: it is not made anew, since every stream key would stop working.
 */
export async function readInstallation(dataDir: string): Promise<InstallationSecrets> {
  const path = join(dataDir, "installation.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    text = JSON.stringify({
      version: 1,
      stream_key_secret: randomBytes(32).toString("hex"),
      admin_token: randomBytes(24).toString("base64url"),
    });
    await writePrivately(path, text);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is damaged; restore it from a backup`, { cause: error });
  }
  const parsed = Installation.safeParse(json);
  if (!parsed.success) throw new Error(`${path} is damaged; restore it from a backup`, { cause: parsed.error });
  return {
    streamKeySecret: Buffer.from(parsed.data.stream_key_secret, "hex"),
    adminToken: parsed.data.admin_token,
  };
}

/** Writes a file that only its owner reads, wholly or not at all. */
export async function writePrivately(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
