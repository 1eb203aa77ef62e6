import type { types } from "mediasoup";
import {
  generateRouterRtpCapabilities,
  getConsumableRtpParameters,
  getConsumerRtpParameters,
  getProducerRtpParametersMapping,
  validateAndNormalizeRtpParameters,
} from "mediasoup/ortc";
import { ROUTER_CODECS } from "../../router-codecs.ts";

/** What mediasoup makes of a producer's parameters, without a worker. @throws what mediasoup throws. */
export function produceWithout(
  kind: types.MediaKind,
  rtpParameters: types.RtpParameters,
  codecs: readonly types.RouterRtpCodecCapability[] = ROUTER_CODECS,
): { producer: types.Producer; consumable: types.RtpParameters } {
  const parameters = structuredClone(rtpParameters);
  validateAndNormalizeRtpParameters(parameters);
  const capabilities = generateRouterRtpCapabilities([...codecs]);
  const mapping = getProducerRtpParametersMapping(parameters, capabilities);
  const consumable = getConsumableRtpParameters(kind, parameters, capabilities, mapping);
  return { producer: { id: kind, kind, rtpParameters: parameters } as unknown as types.Producer, consumable };
}

/** What a consumer would be sent. @throws what mediasoup throws. */
export function consumeWithout(
  consumable: types.RtpParameters,
  remoteRtpCapabilities: types.RtpCapabilities,
  kind: types.MediaKind,
): types.RtpParameters {
  return getConsumerRtpParameters({
    consumableRtpParameters: consumable,
    remoteRtpCapabilities: structuredClone(remoteRtpCapabilities),
    pipe: false,
    enableRtx: kind === "video",
  });
}
