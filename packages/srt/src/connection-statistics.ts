/** What one connection has seen since it was made; `…Ms`, `…Bytes` and `…Bps` (bits/s) say their units. */
export interface SrtStatistics {
  /** How long the connection has stood. */
  readonly connectedMs: number;
  /** Smoothed round-trip time; 100 until measured. */
  readonly rttMs: number;
  readonly rttVarianceMs: number;
  /** Whether the two above are measured. */
  readonly rttKnown: boolean;

  /** Data packets taken in, retransmitted ones included. */
  readonly packetsReceived: number;
  /** Their payloads. */
  readonly bytesReceived: number;
  /** Sequence numbers found missing when a later one came, whether or not they came afterwards. */
  readonly packetsLost: number;
  /** Received packets that were retransmissions. */
  readonly packetsReceivedRetransmitted: number;
  /** Given up by the receiver as too late, or by the sender: what is really lost. */
  readonly packetsReceiveDropped: number;
  /** Came after they had been given up or handed up. */
  readonly packetsBelated: number;
  /** Came twice. */
  readonly packetsDuplicate: number;
  /** Beyond the receive buffer, so not taken. */
  readonly packetsBeyondWindow: number;
  /** Encrypted with a key that is not there. */
  readonly packetsUndecrypted: number;
  readonly bytesUndecrypted: number;
  /** Missing now. */
  readonly packetsMissing: number;

  /** Data packets sent, retransmissions included. */
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsRetransmitted: number;
  readonly bytesRetransmitted: number;
  /** Sequence numbers that the peer reported missing, repeats included. */
  readonly packetsReportedLost: number;
  /** Given up by our sender as too late. */
  readonly packetsSendDropped: number;
  readonly bytesSendDropped: number;

  readonly acksSent: number;
  readonly acksReceived: number;
  readonly naksSent: number;
  readonly naksReceived: number;

  /** Link capacity estimated from packet pairs: of the incoming direction, or, where nothing comes in, what the peer reports. 0: unknown. */
  readonly bandwidthBps: number;
  /** Payload received over the last second. */
  readonly receiveRateBps: number;
  /** Payload handed to `send` over the last second. */
  readonly sendRateBps: number;
  /** What the receive buffer holds, by time and size. */
  readonly receiveBufferMs: number;
  readonly receiveBufferBytes: number;
  readonly receiveBufferPackets: number;
  /** Age of the oldest packet in the send buffer. */
  readonly sendBufferMs: number;
  readonly sendBufferBytes: number;
  readonly sendBufferPackets: number;
  /** Packets sent and not acknowledged. */
  readonly flightSize: number;
  /** What drift tracing has moved the delivery times by. */
  readonly clockDriftMs: number;
  /** Negotiated delay of the incoming and of the outgoing direction. */
  readonly receiveLatencyMs: number;
  readonly sendLatencyMs: number;
  /** Key changes announced by the peer and made by us. */
  readonly receiveKeyRefreshes: number;
  readonly sendKeyRefreshes: number;
  /** Packets that made no sense. */
  readonly packetsMalformed: number;
}
