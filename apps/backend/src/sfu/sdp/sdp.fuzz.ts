import { defineFuzzTarget } from "@klieg/base/fuzz";
import { KliegError } from "@klieg/protocol";
import { ROUTER_CODECS } from "../router-codecs.ts";
import { writeAnswer } from "./answer.ts";
import { parseIceFragment } from "./ice-fragment.ts";
import { parseOffer } from "./offer.ts";
import { acceptPublication } from "./publication.ts";
import { FIREFOX, OBS, OBS_SIMULCAST, PION, RECORDED, recorded, SAFARI } from "./testing/offers.ts";

const rules = {
  videoCodecs: new Set(["h264", "av1", "vp9", "vp8"]),
  audioCodecs: new Set(["opus"]),
  routerCodecs: ROUTER_CODECS,
};

const transport = {
  iceParameters: { usernameFragment: "u", password: "p", iceLite: true },
  iceCandidates: [],
  dtlsParameters: { fingerprints: [{ algorithm: "sha-256" as const, value: "00" }] },
  setup: "passive" as const,
};

const isExpectedError = (error: unknown) =>
  error instanceof KliegError && ["sdp_invalid", "payload_too_large", "codec_not_allowed"].includes(error.code);

export const fuzzTargets = [
  defineFuzzTarget({
    name: "sdp-offer",
    corpus: () =>
      [...RECORDED.map(recorded), OBS, OBS_SIMULCAST, FIREFOX, SAFARI, PION].map((text) => Buffer.from(text)),
    run: (input) => {
      const offer = parseOffer(Buffer.from(input).toString("utf8"));
      const publication = acceptPublication(offer, rules);
      const sections = new Map(
        [publication.video, publication.audio].flatMap((track) =>
          track === undefined
            ? []
            : [
                [
                  track.section.index,
                  {
                    direction: "recvonly" as const,
                    codec: track.codec,
                    feedback: track.rtpParameters.codecs[0]?.rtcpFeedback ?? [],
                    rtx: track.codec.rtx !== undefined,
                    config: track.codec.config,
                    extensions: track.rtpParameters.headerExtensions ?? [],
                    rids: track.rids.map(({ id }) => id),
                  },
                ] as const,
              ],
        ),
      );
      const answer = writeAnswer(offer, sections, transport);
      // What the peer says must not become lines of its own making.
      for (const line of answer.split("\r\n")) {
        if (line !== "" && !/^[vostcmab]=/.test(line)) throw new Error(`a line of the offer's making: ${line}`);
      }
      return answer.length;
    },
    isExpectedError,
    maxMs: 100,
  }),
  defineFuzzTarget({
    name: "ice-fragment",
    corpus: () => [
      Buffer.from(
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\na=end-of-candidates\r\n",
      ),
    ],
    run: (input) => parseIceFragment(Buffer.from(input).toString("utf8")).candidates,
    isExpectedError,
    maxMs: 100,
  }),
];
