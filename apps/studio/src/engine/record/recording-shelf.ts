import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { surveyMovie } from "@klieg/media";
import type { KeptFilm, RecordingState } from "@klieg/protocol";
import type { AssetFile } from "../assets/asset-store.ts";
import { diskError, isMissing } from "../disk/disk-error.ts";
import { isFilmName, REPLAY_NAME } from "./recording-file.ts";

/** Films that are listed, newest first. */
const MOST_FILMS = 200;
/** When a film was begun, in its name. */
const BEGUN = /\d{4}-\d\d-\d\d \d\d-\d\d-\d\d/;
/** Beginning of the address of a film, beside those of the show's files. */
const ID = "film-";

/** What was found out about a file as it was then. */
interface Surveyed {
  readonly size: number;
  readonly mtimeMs: number;
  readonly film: KeptFilm;
}

/** The films in the recordings' folder: those of programs, of single sources, and replays. */
export class RecordingShelf {
  /** By path; of what was listed last. */
  #known = new Map<string, Surveyed>();

  /**
   * @param running its files are still being written, while it runs.
   * @returns the newest films first; those of a program's sources right after it.
   * @throws {KliegError} `storage_unavailable`. A folder that is not there yet has nothing in it.
   */
  async list(folder: string, running: RecordingState): Promise<KeptFilm[]> {
    const found = await filmsIn(folder);
    const runs = running.state === "starting" || running.state === "recording";
    const busy = new Set(runs ? [running.path, ...(running.isolated ?? []).map(({ path }) => path)] : []);
    const known = new Map<string, Surveyed>();
    for (const { path, size, mtimeMs } of found) {
      if (busy.has(path)) continue;
      const before = this.#known.get(path);
      const same = before?.size === size && before.mtimeMs === mtimeMs;
      const surveyed = same ? before : await survey(path, size, mtimeMs);
      if (surveyed !== undefined) known.set(path, surveyed);
    }
    this.#known = known;
    return [...known.values()].map(({ film }) => film);
  }

  /** Where a film is that was listed; undefined where there was none of that id. */
  file(id: string): AssetFile | undefined {
    if (!id.startsWith(ID)) return undefined;
    for (const [path, { film }] of this.#known) if (film.id === id) return { path, mediaType: "video/mp4" };
    return undefined;
  }
}

/** Newest first; of one recording the program, then its sources by their names. */
async function filmsIn(folder: string) {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw diskError(error, "The recordings cannot be listed");
  }
  const begun = (name: string) => BEGUN.exec(name)?.[0] ?? "";
  const stem = (name: string) => basename(name, ".mp4");
  const newest = names
    .filter(isFilmName)
    .sort((a, b) => (begun(a) === begun(b) ? (stem(a) < stem(b) ? -1 : 1) : begun(a) < begun(b) ? 1 : -1))
    .slice(0, MOST_FILMS);
  const found = newest.map(async (name) => {
    const path = join(folder, name);
    // One that was removed meanwhile.
    const file = await stat(path).catch(() => undefined);
    return file?.isFile() === true ? [{ path, size: file.size, mtimeMs: file.mtimeMs }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** @returns undefined for what is none of ours, or cannot be read. */
async function survey(path: string, size: number, mtimeMs: number): Promise<Surveyed | undefined> {
  try {
    await using file = await open(path, "r");
    const read = async (at: number, length: number) => {
      const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    };
    const { tracks, durationMs } = await surveyMovie(size, read, true);
    if (tracks.length === 0) return undefined;
    const video = tracks.find(({ track }) => track.kind === "video")?.track;
    const name = basename(path, ".mp4");
    const id = ID + createHash("sha256").update(`${path} ${size} ${mtimeMs}`).digest("hex").slice(0, 24);
    const film: KeptFilm = {
      ...{ id, name, path, bytes: size, duration_ms: durationMs },
      kind: name.startsWith(REPLAY_NAME) ? "replay" : / - /.test(name) ? "source" : "program",
      ended_at: mtimeMs,
      width: video?.kind === "video" ? video.width : null,
      height: video?.kind === "video" ? video.height : null,
      sound: tracks.some(({ track }) => track.kind === "audio"),
    };
    return { size, mtimeMs, film };
  } catch {
    return undefined; // Somebody else's file, or one that is gone.
  }
}
