import { MESSAGE, type RtmpMessage } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

const HEADER = 11;
const BACK_POINTER = 4;

/**
 * Splits an aggregate message (RTMP 1.0 §7.1.6) into the messages within; their bodies are slices of its body. The
 * message's own timestamp is that of the first one, and the others keep their distance to it.
 * @throws RtmpProtocolError `command_invalid` when a length leads out of the body, or aggregates nest.
 */
export function splitAggregate(message: RtmpMessage, onMessage: (message: RtmpMessage) => void): void {
  const { body } = message;
  let offset = 0;
  let shift: number | undefined;
  while (offset < body.length) {
    if (offset + HEADER > body.length) throw cutShort();
    const type = body.readUInt8(offset);
    const length = body.readUIntBE(offset + 1, 3);
    const timestamp = (body.readUInt8(offset + 7) * 0x1000000 + body.readUIntBE(offset + 4, 3)) >>> 0;
    const start = offset + HEADER;
    if (start + length > body.length) throw cutShort();
    if (type === MESSAGE.aggregate) {
      throw new RtmpProtocolError("command_invalid", "an aggregate message within an aggregate message");
    }
    shift ??= message.timestamp - timestamp;
    onMessage({
      type,
      messageStreamId: message.messageStreamId,
      timestamp: (timestamp + shift) >>> 0,
      body: body.subarray(start, start + length),
    });
    offset = start + length + BACK_POINTER;
  }
}

function cutShort(): RtmpProtocolError {
  return new RtmpProtocolError("command_invalid", "an aggregate message ends within a message");
}
