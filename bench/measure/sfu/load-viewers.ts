import { createInterface } from "node:readline";
import { LoadViewer, nothingReceived, type Received } from "./load-viewer.ts";

/** A command, as a line of JSON on standard input; it is answered by such a line on standard output. */
export type LoadCommand = { readonly id: number } & (
  | { readonly do: "watch"; readonly url: string; readonly count: number }
  /** What has come from there since the last time. */
  | { readonly do: "read"; readonly url: string }
);

export interface LoadAnswer {
  readonly id: number;
  /** Viewers that are connected there. */
  readonly viewers: number;
  readonly received: Received;
}

/** Handshakes at a time: each is some ms of arithmetic here. */
const AT_ONCE = 8;
const FEEDBACK_EVERY_MS = 100;
const FEEDBACK_TURNS = 20;

interface Audience {
  readonly viewers: LoadViewer[];
  readonly received: Received;
}

// Viewers of WHEP endpoints, as a process of its own.

const audiences = new Map<string, Audience>();
let turn = 0;
// One after the other: they would not all answer in the same moment.
setInterval(() => {
  turn = (turn + 1) % FEEDBACK_TURNS;
  for (const { viewers } of audiences.values()) {
    for (let index = turn; index < viewers.length; index += FEEDBACK_TURNS) viewers[index]?.report();
  }
}, FEEDBACK_EVERY_MS / FEEDBACK_TURNS);

createInterface({ input: process.stdin })
  .on("line", (line) => void obey(JSON.parse(line) as LoadCommand))
  .on("close", () => process.exit(0));

async function obey(command: LoadCommand): Promise<void> {
  const audience = audienceOf(command.url);
  if (command.do === "watch") await watch(audience, command.url, command.count);
  const { viewers, received } = audience;
  const answer: LoadAnswer = { id: command.id, viewers: viewers.length, received: structuredClone(received) };
  if (command.do === "read") Object.assign(received, nothingReceived());
  console.log(JSON.stringify(answer));
}

function audienceOf(url: string): Audience {
  let audience = audiences.get(url);
  if (audience === undefined) {
    audience = { viewers: [], received: nothingReceived() };
    audiences.set(url, audience);
  }
  return audience;
}

async function watch({ viewers, received }: Audience, url: string, count: number): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      viewers.push(await LoadViewer.open(url, received));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
}
