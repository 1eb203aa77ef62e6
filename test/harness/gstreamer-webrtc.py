"""WHIP publisher and WHEP player of GStreamer's webrtcbin, whose own whipsink Debian does not have.

    gstreamer-webrtc.py publish URL KEY      a moving picture (H.264) and a tone (Opus), until the process ends
    gstreamer-webrtc.py watch URL            counts the frames and samples that come out of its decoders

Prints a line of JSON for each thing that happens.
"""

import json
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PUBLISH = """
webrtcbin name=rtc bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert
  ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max=60 ! video/x-h264,profile=constrained-baseline
  ! h264parse ! rtph264pay aggregate-mode=zero-latency config-interval=-1
  ! application/x-rtp,media=video,encoding-name=H264,payload=96 ! rtc.
audiotestsrc is-live=true wave=sine freq=440 ! audioconvert ! audioresample ! opusenc ! rtpopuspay
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! rtc.
"""


def say(**what):
    print(json.dumps(what), flush=True)


class Peer:
    def __init__(self, mode, url, key):
        self.mode, self.url, self.key = mode, url, key
        self.loop = GLib.MainLoop()
        self.frames, self.samples = 0, 0
        self.posted = False
        self.resource = None
        if mode == "publish":
            self.pipeline = Gst.parse_launch(PUBLISH)
        else:
            self.pipeline = Gst.Pipeline.new("watch")
            rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
            rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            rtc.set_property("latency", 100)
            self.pipeline.add(rtc)
        self.rtc = self.pipeline.get_by_name("rtc")
        self.rtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.rtc.connect("notify::connection-state", self.on_connection)
        if mode == "publish":
            self.rtc.connect("on-negotiation-needed", lambda _: self.offer())
        else:
            self.rtc.connect("pad-added", self.on_pad)
            receiving = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            for caps in (
                "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=102,packetization-mode=(string)1,profile-level-id=(string)42e01f,rtcp-fb-nack-pli=true",
                "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=111",
            ):
                self.rtc.emit("add-transceiver", receiving, Gst.Caps.from_string(caps))
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        signal.signal(signal.SIGTERM, lambda *_: self.loop.quit())

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        if self.mode == "watch":
            GLib.idle_add(self.offer)
            GLib.timeout_add(250, self.report)
        GLib.timeout_add(100, lambda: True)
        self.loop.run()
        if self.resource is not None:
            self.request("DELETE", self.resource)
        self.pipeline.set_state(Gst.State.NULL)

    def offer(self, *_):
        promise = Gst.Promise.new_with_change_func(self.on_offer, None)
        self.rtc.emit("create-offer", None, promise)
        return False

    def on_offer(self, promise, *_):
        # Kept: what it holds goes with it.
        self.reply = promise.get_reply()
        say(event="reply", reply=self.reply.to_string()[:300])
        offer = self.reply.get_value("offer")
        self.rtc.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, *_):
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self.rtc.get_property("ice-gathering-state") == complete and not self.posted:
            self.posted = True
            GLib.idle_add(self.post)

    def post(self):
        text = self.rtc.get_property("local-description").sdp.as_text()
        say(event="offer", sdp=text)
        status, headers, answer = self.request("POST", self.url, text)
        if status != 201:
            say(event="refused", status=status, body=answer)
            self.loop.quit()
            return False
        self.resource = urllib.parse.urljoin(self.url, headers["Location"])
        say(event="answer", resource=self.resource, sdp=answer)
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.rtc.emit("set-remote-description", description, Gst.Promise.new())
        return False

    def request(self, method, url, body=None):
        headers = {"Content-Type": "application/sdp"} if body is not None else {}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        data = None if body is None else body.encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def on_connection(self, *_):
        say(event="connection", state=self.rtc.get_property("connection-state").value_nick)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        decoding = (
            "rtph264depay ! avdec_h264 ! fakesink name=sink signal-handoffs=true sync=false"
            if media == "video"
            else "rtpopusdepay ! opusdec ! fakesink name=sink signal-handoffs=true sync=false"
        )
        bin = Gst.parse_bin_from_description(decoding, True)
        bin.get_by_name("sink").connect("handoff", self.on_video if media == "video" else self.on_audio)
        self.pipeline.add(bin)
        bin.sync_state_with_parent()
        pad.link(bin.get_static_pad("sink"))

    def on_video(self, *_):
        self.frames += 1

    def on_audio(self, _, buffer, __):
        self.samples += buffer.get_size() // 4

    def report(self):
        say(event="received", frames=self.frames, samples=self.samples)
        return True

    def on_error(self, _, message):
        error, detail = message.parse_error()
        say(event="error", message=error.message, detail=detail)
        self.loop.quit()


Gst.init(None)
Peer(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None).run()
