"""An RTSP server, GStreamer's: /usr/bin/python3 rtsp_server.py [PORT [FILE [SHIFT_S]]].

Run by the system's Python, for which Debian packages the bindings; it prints the port when it listens. It serves a
moving test picture in H.264, 320x240 at 15 fps, as rtsp://127.0.0.1:PORT/camera, until it is killed. A FILE (H.264 in
.mp4, MJPEG in .avi) is played from its beginning at its own pace to each who asks for /file, like a camera: its length
is not told. The sender reports say this host's time, SHIFT_S seconds on.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GLib, GstRtspServer  # noqa: E402, I001 - the versions are to be named first

CAMERA = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 "
    "! x264enc tune=zerolatency key-int-max=15 ! rtph264pay name=pay0 pt=96 )"
)
# A source that is live, whatever it gives, makes all of it live.
LIVE = "videotestsrc is-live=true ! video/x-raw,width=16,height=16,framerate=1/1 ! fakesink"
FILES = {
    ".mp4": "qtdemux ! identity sync=true ! rtph264pay name=pay0 pt=96 config-interval=-1",
    ".avi": "avidemux ! identity sync=true ! rtpjpegpay name=pay0 pt=26",
}
# From 1900, which is where NTP counts from, to 1970.
NTP_S = 2_208_988_800


def clock_of(shift_s: float) -> Gst.Clock:
    """A clock that shows NTP's time, shifted."""
    clock = Gst.SystemClock()
    clock.set_property("clock-type", Gst.ClockType.REALTIME)
    now = clock.get_internal_time()
    clock.set_calibration(now, now + round((NTP_S + shift_s) * Gst.SECOND), 1, 1)
    return clock


def factory_of(pipeline: str, clock: Gst.Clock) -> GstRtspServer.RTSPMediaFactory:
    """What makes the media when somebody asks for it; its sender reports say what the clock says."""
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(pipeline)
    factory.set_clock(clock)
    factory.connect("media-configure", lambda _, media: media.get_element().get_parent().connect("element-added", tell))
    return factory


def tell(_: Gst.Pipeline, element: Gst.Element) -> None:
    """Let the part that makes the sender reports take the clock's time for them."""
    if element.get_factory().get_name() == "rtpbin":
        element.set_property("ntp-time-source", "clock-time")


Gst.init(None)
port, file, shift_s = [*sys.argv[1:], *("0", "", "0")[len(sys.argv) - 1 :]]
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
camera = factory_of(CAMERA, clock_of(float(shift_s)))
camera.set_shared(True)
server.get_mount_points().add_factory("/camera", camera)
if file:
    played = factory_of(f'( filesrc location="{file}" ! {FILES[file[-4:]]} {LIVE} )', clock_of(float(shift_s)))
    server.get_mount_points().add_factory("/file", played)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
