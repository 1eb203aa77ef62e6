"""RTSP server of GStreamer with cameras of one colour and a tone of 440 Hz, until the process ends.

    rtsp-server.py [PORT]

    /h264      640x360, 30 a second, red, H.264, with the tone in AAC
    /secret    the same in green, for user "admin" with password "kl:eg" alone
    /jpeg      320x240, 25 a second, blue, Motion JPEG, without sound

Prints its port.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

H264 = """( videotestsrc is-live=true pattern={} ! video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert
  ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max=30 ! video/x-h264,profile=constrained-baseline
  ! rtph264pay name=pay0 pt=96
audiotestsrc is-live=true wave=sine freq=440 volume=0.1 ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2
  ! avenc_aac ! rtpmp4gpay name=pay1 pt=97 )"""
JPEG = """( videotestsrc is-live=true pattern=blue ! video/x-raw,width=320,height=240,framerate=25/1,format=I420
  ! jpegenc ! rtpjpegpay name=pay0 pt=26 )"""

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1] if len(sys.argv) > 1 else "0")

auth = GstRtspServer.RTSPAuth()
auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
token = GstRtspServer.RTSPToken()
token.set_string("media.factory.role", "admin")
auth.add_digest("admin", "kl:eg", token)
server.set_auth(auth)
nobody = GstRtspServer.RTSPToken()
nobody.set_string("media.factory.role", "anybody")
auth.set_default_token(nobody)

for path, launch, everybody in (("/h264", H264.format("red"), True), ("/secret", H264.format("green"), False),
                                ("/jpeg", JPEG, True)):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    factory.set_shared(True)
    for role, allowed in (("admin", True), ("anybody", everybody)):
        # Who may see that there is something and not open it is asked for a password.
        factory.add_role_from_structure(Gst.Structure.new_from_string(
            f"{role}, media.factory.access=(boolean)true, media.factory.construct=(boolean){str(allowed).lower()}"))
    server.get_mount_points().add_factory(path, factory)

if server.attach(None) == 0:
    sys.exit("the port is taken")
print(f"port {server.get_bound_port()}", flush=True)
GLib.MainLoop().run()
