import { Sfu } from "../../apps/backend/src/sfu/sfu.ts";

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

/**
 * Has a worker program listen and make a router, as the backend would.
 * @returns undefined where it does, else why not, in words.
 */
export async function tryRouter(program: string): Promise<string | undefined> {
  await using sfu = await Sfu.open({
    logger: quiet,
    workerProgram: program,
    workers: 1,
    port: 0,
    addresses: [{ ip: "127.0.0.1" }],
  });
  if (sfu.unavailable !== undefined) return sfu.unavailable;
  try {
    using stage = sfu.openStage("trial");
    using _peer = await stage.addPeer({});
    return undefined;
  } catch (error) {
    const cause = (error as Error).cause ?? error;
    return `it cannot serve a peer (${(cause as Error).message})`;
  }
}
