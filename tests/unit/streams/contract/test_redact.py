import pytest

from streams.contract.redact import redact


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:1234@cam.example:554/stream", "rtsp://***@cam.example:554/stream"),
        ("rtsp://admin:p@ss@cam.example/stream", "rtsp://***@cam.example/stream"),
        ("http://cam.example/video?user=a&pwd=b", "http://cam.example/video?user=***&pwd=***"),
        ("http://a:b@cam.example/video?token=x=y#top", "http://***@cam.example/video?token=***"),
        ("http://cam.example/at/me@home", "http://cam.example/at/me@home"),
        ("RTSP://admin:hunter2@cam", "RTSP://***@cam"),
        ("//admin:hunter2@cam/stream", "//***@cam/stream"),
        ("rtsp:admin:hunter2@cam", "rtsp:***@cam"),
        ("rtsp://admin:hun/ter2@cam/stream", "rtsp://***@cam/stream"),
        ("rtsp://admin:hun?ter#2@cam/stream", "rtsp://***@cam/stream"),
        ("rtsp://admin:h@n/ter2@cam/stream", "rtsp://***@cam/stream"),
        ("rtsp://admin:12/34@cam/stream", "rtsp://***@cam/stream"),
        ("rtsp://[fe80::1]:554/at/me@home", "rtsp://[fe80::1]:554/at/me@home"),
        (
            "rtsp://cam:554/user=admin_password=hun_ter2_channel=1_stream=0.sdp?real_stream",
            "rtsp://cam:554/user=***_password=***_channel=1_stream=0.sdp?real_stream",
        ),
        ("rtsp://cam/user=admin_passwd=hun?ter2_channel=1.sdp", "rtsp://cam/user=***_passwd=***_channel=1.sdp"),
        ("cam.example/video?USR=admin&Pwd=hunter2", "cam.example/video?USR=***&Pwd=***"),
        ("at@home.mp4", "at@home.mp4"),
        ("video.mp4", "video.mp4"),
        ("synthetic:?size=640x480", "synthetic:?size=640x480"),
    ],
)
def test_hides_what_is_secret(url: str, shown: str) -> None:
    assert redact(url) == shown
