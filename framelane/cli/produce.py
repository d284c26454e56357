"""`framelane produce`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from framelane.cli import options
from streams.contract.errors import SettingError
from streams.contract.kafka_settings import has_kafka_table
from streams.contract.topics import RAW, STATUS
from streams.settings import WatchSettings

# What belongs to the whole process; everything else belongs to one camera, and so into the file of cameras.
_METRICS = ("metrics_port", "metrics_host", "metrics_cameras")
_KAFKA = ("bootstrap", "config", "wait", "acks", "topic", "status")
_OF_THE_PROCESS = frozenset(("cameras", "watch", "log_level", *_METRICS, *_KAFKA))
# The ports and counts that a worker has.
_WATCH = WatchSettings()
_PICTURES, _READING, _DELIVERY, _LOGIN = "Pictures", "Reading", "Delivery", "Credentials"


def produce(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            envvar="FRAMELANE_SOURCE",
            help="synthetic:, a video file, an image or a folder of images, device:N, rtsp://..., http://... or stdin:",
            show_default=False,
            show_envvar=True,
        ),
    ] = "",
    camera: Annotated[str, typer.Option("--camera", metavar="ID", help="The camera's name.", show_default=False)] = "",
    cameras: Annotated[
        Path | None,
        typer.Option("--cameras", metavar="FILE.toml", help="Many cameras in one process: a [[camera]] for each."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Take up changes of FILE.toml by themselves; of a folder, its new images.")
    ] = False,
    topic: Annotated[str, typer.Option("--topic", help="Where the frames go.")] = RAW,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1000.0,
            help="Play at this pace; thins out a live source.",
            show_default=False,
            rich_help_panel=_PICTURES,
        ),
    ] = None,
    max_fps: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1000.0,
            help="Publish no more than that, of any source.",
            show_default=False,
            rich_help_panel=_PICTURES,
        ),
    ] = None,
    only_motion: Annotated[
        bool, typer.Option("--only-motion", help="Publish only while something moves.", rich_help_panel=_PICTURES)
    ] = False,
    keep_alive: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="With --only-motion: a frame every so often all the same.", rich_help_panel=_PICTURES
        ),
    ] = "10s",
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH", help="Bring every frame to this size.", show_default=False, rich_help_panel=_PICTURES
        ),
    ] = None,
    quality: Annotated[
        int,
        typer.Option(min=1, max=100, help="Of the JPEG; images pass untouched.", rich_help_panel=_PICTURES),
    ] = 80,
    loop: Annotated[
        bool,
        typer.Option("--loop", help="Begin again at the end of a file or folder.", rich_help_panel=_READING),
    ] = False,
    realtime: Annotated[
        bool,
        typer.Option(
            "--realtime/--fast", help="Play files at their own speed, or as fast as it goes.", rich_help_panel=_READING
        ),
    ] = True,
    count: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many frames.", show_default=False, rich_help_panel=_READING),
    ] = None,
    decoder: Annotated[
        Literal["auto", "pyav", "opencv"],
        typer.Option(help="Of streams and videos; auto: PyAV where it is installed.", rich_help_panel=_READING),
    ] = "auto",
    silence: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="A live source that gives nothing for so long is opened again.",
            rich_help_panel=_READING,
        ),
    ] = "10s",
    policy: Annotated[
        Literal["auto", "drop_oldest", "block"],
        typer.Option(
            help="When the buffer is full; auto: live cameras lose the oldest frames, all else waits.",
            rich_help_panel=_DELIVERY,
        ),
    ] = "auto",
    buffer_mb: Annotated[
        float,
        typer.Option(min=1, help="MiB kept for each camera while the broker is away.", rich_help_panel=_DELIVERY),
    ] = 32.0,
    fit: Annotated[
        bool,
        typer.Option("--fit", help="Make frames that the topic does not take smaller.", rich_help_panel=_DELIVERY),
    ] = False,
    acks: Annotated[
        Literal["all", "1"],
        typer.Option(help="Whose word counts: all replicas', or the leader's alone.", rich_help_panel=_DELIVERY),
    ] = "all",
    username_env: Annotated[
        str, typer.Option(metavar="NAME", help="The variable with the camera's user.", rich_help_panel=_LOGIN)
    ] = "",
    username_file: Annotated[
        str, typer.Option(metavar="FILE", help="The file with the camera's user.", rich_help_panel=_LOGIN)
    ] = "",
    password_env: Annotated[
        str, typer.Option(metavar="NAME", help="The variable with the camera's password.", rich_help_panel=_LOGIN)
    ] = "",
    password_file: Annotated[
        str, typer.Option(metavar="FILE", help="The file with the camera's password.", rich_help_panel=_LOGIN)
    ] = "",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Metrics and probes; 0: off. Default: 9464 with --cameras, else off.", show_default=False
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(metavar="HOST", envvar=options.METRICS_HOST_VARIABLE, help="Where that port is.")
    ] = _WATCH.host,
    metrics_cameras: Annotated[
        int, typer.Option(metavar="N", help="Cameras that metrics tell apart.")
    ] = _WATCH.cameras,
    status: Annotated[bool, typer.Option("--status/--no-status", help=f"Report on {STATUS}.")] = True,
    bootstrap: options.Bootstrap = None,
    config: options.Config = None,
    wait: options.Wait = options.DEFAULT_WAIT,
    log_level: options.LogLevel = "info",
) -> None:
    """Publish the frames of one camera, or of all in a file.

    What is JPEG, PNG or WebP already passes byte for byte: files, MJPEG cameras and snapshots over HTTP, and JPEGs one
    after the other on standard input. Everything else becomes JPEG. The sums are printed at the end. A file of cameras
    is read again on SIGHUP; one with a mistake changes nothing. Passwords belong into the environment or a file: what
    is in an address is shown nowhere, but a shell remembers it.

    **Examples**

    framelane produce synthetic: --camera gate-1

    framelane produce "synthetic:?size=640x480&fps=10" --camera gate-1 --count 100

    framelane produce video.mp4 --camera gate-1 --loop

    framelane produce pictures/ --camera scan --fast

    framelane produce rtsp://camera.example/stream --camera yard --fps 10 --username-env CAM_USER --password-env CAM_PW

    ffmpeg -i video.mkv -f image2pipe -c:v mjpeg -q:v 3 - | framelane produce stdin: --camera tape

    framelane produce --cameras cameras.toml --watch
    """
    from framelane.cli.produce_cameras import FleetOptions, produce_cameras
    from framelane.cli.produce_one import produce_one
    from framelane.logs import set_up_logging
    from framelane.producer_metrics import MetricsPort
    from producers.cameras_file import CameraKeys, check_camera
    from streams.contract.settings_file import SettingsFile

    set_up_logging(log_level)
    if cameras is not None:
        _refuse_of_one_camera(context)
        fleet = FleetOptions(
            file=cameras,
            watch=watch,
            topic=topic,
            acks=acks,
            status_topic=STATUS if status else None,
            metrics=MetricsPort(
                host=metrics_host, port=_WATCH.port if metrics_port is None else metrics_port, cameras=metrics_cameras
            ),
        )
        # What is wrong with the file is told as of this file, before anybody looks into it for the broker.
        SettingsFile(cameras)
        config = cameras if config is None and has_kafka_table(cameras) else config
        produce_cameras(fleet, options.kafka_settings(bootstrap, config))
        return
    if not source or not camera:
        missing = "SOURCE, such as synthetic: or rtsp://..." if not source else "--camera ID, the camera's name"
        raise typer.BadParameter(f"{missing}, is missing; or give many in a file: --cameras FILE.toml")
    # What is wrong with it is told as of the option, and it is read as every --size is.
    wished = options.picture_size(size, option="--size") if size else None
    settings = check_camera(
        CameraKeys(
            id=camera,
            source=source,
            username_env=username_env,
            username_file=username_file,
            password_env=password_env,
            password_file=password_file,
            topic=topic,
            fps=fps or 0.0,
            max_fps=max_fps or 0.0,
            size="x".join(map(str, wished)) if wished else "",
            quality=quality,
            loop=loop,
            realtime=realtime,
            watch=watch,
            only_motion=only_motion,
            keep_alive_s=options.seconds(keep_alive, option="--keep-alive"),
            policy="" if policy == "auto" else policy,
            buffer_mb=buffer_mb,
            fit=fit,
            decoder=decoder,
            silence_s=options.seconds(silence, option="--silence"),
        )
    )
    produce_one(
        settings,
        options.kafka_settings(bootstrap, config),
        count=count,
        acks=acks,
        status_topic=STATUS if status else None,
        wait_s=options.seconds(wait, option="--wait"),
        metrics=MetricsPort(host=metrics_host, port=metrics_port or 0, cameras=metrics_cameras),
    )


def _refuse_of_one_camera(context: typer.Context) -> None:
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name)
        if given is not None and given.name == "COMMANDLINE" and name not in _OF_THE_PROCESS:
            shown = "SOURCE" if name == "source" else parameter.opts[0]
            raise SettingError(
                f"{shown} belongs to one camera: with --cameras write it into the file, into a [[camera]] or [defaults]"
            )
