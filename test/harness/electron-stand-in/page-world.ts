// Scripts that run in Chromium's page, as text: the two ends of the bridge between the page's world and that of its preload
// script. Worlds share the document and nothing else, so they speak by its events; what goes over is JSON, with functions as
// numbers that the other end may call.

/** In both worlds: turns values into text and back, and calls what the other end has. */
const BRIDGE = `
  const functions = new Map();
  const waiting = new Map();
  let numbers = 0;
  const pack = (value) => JSON.stringify(value === undefined ? null : value, (_key, each) => {
    if (typeof each !== "function") return each;
    numbers += 1;
    functions.set(numbers, each);
    return { "stand-in function": numbers };
  });
  const unpack = (text) => JSON.parse(text, (_key, each) => {
    const number = each?.["stand-in function"];
    return number === undefined ? each : (...args) => call(number, args);
  });
  const say = (message) => document.dispatchEvent(new CustomEvent("stand-in-to-" + other, { detail: JSON.stringify(message) }));
  const call = (number, args) => {
    numbers += 1;
    const id = numbers;
    const answer = Promise.withResolvers();
    let now;
    waiting.set(id, (settled) => {
      now = settled;
      if (settled.ok) answer.resolve(unpack(settled.value));
      else answer.reject(new Error(settled.value));
    });
    say({ call: id, number, args: pack(args) });
    if (now?.ok) return unpack(now.value);
    return answer.promise;
  };
  document.addEventListener("stand-in-to-" + own, ({ detail }) => {
    const message = JSON.parse(detail);
    if (message.call !== undefined) {
      const settle = (ok, value) => say({ answer: message.call, ok, value });
      try {
        const value = functions.get(message.number)(...unpack(message.args));
        if (typeof value?.then === "function") value.then((it) => settle(true, pack(it)), (e) => settle(false, e.message));
        else settle(true, pack(value));
      } catch (error) {
        settle(false, error.message);
      }
    } else if (message.answer !== undefined) {
      const settle = waiting.get(message.answer);
      waiting.delete(message.answer);
      settle?.(message);
    } else if (message.expose !== undefined) {
      Object.defineProperty(window, message.expose, { value: Object.freeze(unpack(message.value)) });
    }
  });
`;

/** In the page's own world, before any of its scripts. */
export const MAIN_WORLD = `(() => {
  if (window.top !== window) return;
  const own = "page", other = "preload";
  ${BRIDGE}
  // Electron's ports tell when their other end is closed; Chromium's do not.
  window.addEventListener("message", ({ ports }) => {
    for (const port of ports) {
      port.addEventListener("message", (event) => {
        if (event.data !== "stand-in close") return;
        event.stopImmediatePropagation();
        port.dispatchEvent(new Event("close"));
      });
      const close = port.close.bind(port);
      port.close = () => {
        port.postMessage("stand-in close");
        close();
      };
    }
  });
  // A screen that is captured is a canvas of one colour, if the app lets it be captured.
  navigator.mediaDevices && (navigator.mediaDevices.getDisplayMedia = async (wanted) => {
    const answer = Promise.withResolvers();
    window.addEventListener("stand-in-display-answer", (event) => answer.resolve(JSON.parse(event.detail)), { once: true });
    window.standInDisplay(JSON.stringify({ audio: Boolean(wanted?.audio) }));
    const streams = await answer.promise;
    if (streams === null) throw new DOMException("Permission denied", "NotAllowedError");
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 180;
    canvas.getContext("2d").fillRect(0, 0, 320, 180);
    const stream = canvas.captureStream(5);
    Object.defineProperty(stream.getVideoTracks()[0], "label", { value: streams.video });
    return stream;
  });
})();`;

/** In the preload script's world: what Electron gives it, then the script itself. */
export function preloadWorld(preload: string): string {
  return `(() => {
  if (window.top !== window) return;
  const own = "preload", other = "page";
  ${BRIDGE}
  const listeners = new Map();
  const ports = new Map();
  const replies = new Map();
  const toApp = (message) => window.standInApp(JSON.stringify(message));
  const bytesOf = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const textOf = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  };
  let ids = 0;
  const ipcRenderer = {
    send: (channel, ...args) => toApp({ send: channel, args }),
    invoke: (channel, ...args) => {
      ids += 1;
      const reply = Promise.withResolvers();
      replies.set(ids, reply);
      toApp({ invoke: channel, id: ids, args });
      return reply.promise;
    },
    on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
  };
  const contextBridge = {
    exposeInMainWorld: (name, api) => say({ expose: name, value: pack(api) }),
  };
  // Called by the stand-in.
  globalThis.standIn = {
    emit: (channel, args, portIds) => {
      const given = portIds.map((id) => {
        const { port1, port2 } = new MessageChannel();
        ports.set(id, port1);
        port1.onmessage = ({ data }) => {
          if (data === "stand-in close") toApp({ port: id, close: true });
          else toApp(data instanceof Uint8Array ? { port: id, bytes: textOf(data) } : { port: id, data });
        };
        return port2;
      });
      for (const listener of listeners.get(channel) ?? []) listener({ ports: given }, ...args);
    },
    reply: (id, ok, value) => {
      const reply = replies.get(id);
      replies.delete(id);
      if (ok) reply.resolve(value);
      else reply.reject(new Error(value));
    },
    port: (id, message) => ports.get(id)?.postMessage(message.bytes === undefined ? message.data : bytesOf(message.bytes)),
    closePort: (id) => ports.get(id)?.postMessage("stand-in close"),
  };
  const modules = { electron: { contextBridge, ipcRenderer } };
  (function (require, process) {
${preload}
  })((name) => modules[name], { platform: ${JSON.stringify(process.platform)} });
})();`;
}
