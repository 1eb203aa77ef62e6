import { SrtListener } from "@klieg/srt";

// Our listener as a process of its own that throws away what it gets, as `srt-live-transmit … file://con > /dev/null` does.

const listener = new SrtListener({ onConnection: () => ({ handler: { onData: () => undefined } }) });
await listener.listen({ port: 0, host: "127.0.0.1" });
console.log("port", listener.port);
