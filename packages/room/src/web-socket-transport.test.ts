import { expect, it } from "vitest";
import { WebSocketTransport } from "./web-socket-transport.ts";

class FakeSocket extends EventTarget {
  readonly sent: string[] = [];
  readonly closedWith: (number | undefined)[] = [];

  send(text: string): void {
    this.sent.push(text);
  }

  close(code?: number): void {
    this.closedWith.push(code);
  }
}

function open() {
  const socket = new FakeSocket();
  const transport = new WebSocketTransport(socket as unknown as WebSocket);
  const heard: (string | number)[] = [];
  transport.onMessage = (text) => heard.push(text);
  transport.onClose = (code) => heard.push(code);
  return { socket, transport, heard };
}

const message = (data: string) => Object.assign(new Event("message"), { data });
const close = (code: number) => Object.assign(new Event("close"), { code });

it("holds what is sent until the socket is open, then says what comes and how it ended, once (RTC2)", () => {
  const { socket, transport, heard } = open();
  transport.send("first");
  expect(socket.sent).toEqual([]);
  socket.dispatchEvent(new Event("open"));
  transport.send("second");
  expect(socket.sent).toEqual(["first", "second"]);
  socket.dispatchEvent(message("hello"));
  socket.dispatchEvent(close(4503));
  socket.dispatchEvent(close(1006));
  transport.send("late");
  transport.close();
  expect(heard).toEqual(["hello", 4503]);
  expect(socket.sent).toHaveLength(2);
  expect(socket.closedWith).toEqual([]);
});

it("says goodbye without calling that a loss (RTC2)", () => {
  const { socket, transport, heard } = open();
  transport.send("never");
  transport.close();
  transport.close();
  socket.dispatchEvent(new Event("open"));
  socket.dispatchEvent(message("late"));
  socket.dispatchEvent(close(1000));
  expect(heard).toEqual([]);
  expect(socket.sent).toEqual([]);
  expect(socket.closedWith).toEqual([1000]);
});
