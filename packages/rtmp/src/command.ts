import type { AmfValue } from "./amf-value.ts";
import { Amf0Reader } from "./amf0-decode.ts";
import { Amf3Reader } from "./amf3-decode.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

/** A command message: `name(transactionId, ...values)`; the first of `values` is the command object. */
export interface RtmpCommand {
  readonly name: string;
  /** 0 when no answer is expected. */
  readonly transactionId: number;
  readonly values: readonly AmfValue[];
}

/** @throws RtmpProtocolError `amf_invalid` or `command_invalid` */
export function readCommand(message: RtmpMessage): RtmpCommand {
  const [name, transactionId, ...values] = readValues(message);
  if (typeof name !== "string") throw new RtmpProtocolError("command_invalid", "a command without a name");
  return { name, transactionId: typeof transactionId === "number" ? transactionId : 0, values };
}

/** The AMF values of a command or data message of either encoding. */
export function readValues(message: RtmpMessage): AmfValue[] {
  const { body, type } = message;
  if (body.length === 0) return [];
  let offset = 0;
  if (type === MESSAGE.commandAmf3 || type === MESSAGE.dataAmf3) {
    // A byte for the encoding of what follows: 0 for AMF0, which all known encoders say, 3 for AMF3. Some leave it out
    // and begin with the name's AMF0 string marker.
    if (body[0] === 3) return readAll(new Amf3Reader(body, 1));
    if (body[0] === 0) offset = 1;
  }
  return readAll(new Amf0Reader(body, offset));
}

function readAll(reader: Amf0Reader | Amf3Reader): AmfValue[] {
  const values: AmfValue[] = [];
  while (!reader.atEnd) values.push(reader.value());
  return values;
}
