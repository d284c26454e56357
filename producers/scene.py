"""The scene in front of a synthetic camera: a street with a person, a car and a few shapes, and sensor noise."""

import math
from typing import Any

import cv2
import numpy as np

from producers.stamp import camera_hash, stamp
from streams.contract.images import Image

# Noise is made once, a little larger than the picture, and laid on at another place in each.
_SLACK = 64
_NOISE_SIGMA = 4.0
_NOISE_MEAN = 12
_WHITE, _DARK = (255, 255, 255), (30, 30, 30)


class Scene:
    """Draws picture n of a camera: the same for the same camera, size, fps, seed and n."""

    def __init__(self, camera_id: str, *, size: tuple[int, int], fps: float, seed: int) -> None:
        """size: (width, height) in pixels. fps: how much of the scene's time passes from picture to picture."""
        self._camera_id, self._fps = camera_id, fps
        self._width, self._height = size
        self._phase = camera_hash(camera_id) / 256
        self._seed = [seed, camera_hash(camera_id)]
        self._background = self._paint_background()
        rng = np.random.default_rng(self._seed)
        shape = (self._height + _SLACK, self._width + _SLACK, 3)
        noise = rng.standard_normal(shape, dtype=np.float32) * _NOISE_SIGMA + _NOISE_MEAN
        self._noise: Image = np.clip(noise, 0, 255).astype(np.uint8)

    def draw(self, sequence: int) -> Image:
        """Picture number `sequence`: uint8 (H, W, 3) BGR, owned by the caller."""
        canvas = self._background.copy()
        seconds = sequence / self._fps
        self._draw_shapes(canvas, seconds)
        self._draw_car(canvas, seconds)
        self._draw_person(canvas, seconds)
        across, down = self._offset(sequence)
        cv2.add(canvas, self._noise[down : down + self._height, across : across + self._width], dst=canvas)
        self._write(canvas, sequence)
        stamp(canvas, self._camera_id, sequence)
        return canvas

    def _offset(self, sequence: int) -> tuple[int, int]:
        """Where the noise is laid on: it looks random, and costs two multiplications."""
        mixed = (sequence * 2654435761 + 97 * self._seed[0]) & 0xFFFFFFFF
        return mixed >> 8 & (_SLACK - 1), mixed >> 20 & (_SLACK - 1)

    def _paint_background(self) -> Image:
        """Sky above, street below, each a gradient in the camera's own hue; darker by the noise's mean."""
        hue = int(self._phase * 180)
        value = np.linspace(205, 120, self._height, dtype=np.float32)
        hsv = np.empty((self._height, self._width, 3), np.uint8)
        hsv[..., 0] = hue
        hsv[..., 1] = 70
        hsv[..., 2] = value[:, None].astype(np.uint8)
        horizon = int(self._height * 0.55)
        hsv[horizon:, :, 1] = 18
        hsv[horizon:, :, 2] = np.linspace(80, 130, self._height - horizon)[:, None].astype(np.uint8)
        image: Image = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), dtype=np.uint8)
        for index in range(7):
            left = int((index + 0.15) * self._width / 7)
            top = int(self._height * (0.22 + 0.09 * math.sin(index * 2.1 + self._phase * 9)))
            cv2.rectangle(image, (left, top), (left + self._width // 9, horizon), (95 + 9 * index, 100, 92), -1)
        lane = int(self._height * 0.78)
        for left in range(0, self._width, max(24, self._width // 12)):
            cv2.rectangle(
                image, (left, lane), (left + self._width // 30, lane + self._height // 90), (200, 205, 205), -1
            )
        return np.asarray(cv2.subtract(image, np.full(4, _NOISE_MEAN, np.float64)), dtype=np.uint8)

    def _draw_shapes(self, canvas: Image, seconds: float) -> None:
        unit = self._height / 12
        x = self._width * (0.5 + 0.38 * math.sin(0.31 * seconds + 6 * self._phase))
        y = self._height * (0.17 + 0.06 * math.sin(0.73 * seconds))
        cv2.circle(canvas, (int(x), int(y)), int(unit * 0.55), (60, 200, 235), -1)
        angle = 0.6 * seconds + self._phase
        middle = np.array([self._width * 0.82, self._height * 0.3])
        turns = [angle + index * 2 * math.pi / 3 for index in range(3)]
        corners: np.ndarray[Any, Any] = np.array([[math.cos(turn), math.sin(turn)] for turn in turns]) * unit + middle
        cv2.fillPoly(canvas, [corners.astype(np.int32)], (90, 170, 60))

    def _draw_car(self, canvas: Image, seconds: float) -> None:
        length = self._width * 0.16
        # Drives through in eight seconds, and is out of sight for a while before it comes again.
        way = (seconds / 8 + self._phase) % 1.25
        left = int(way * (self._width + length) - length)
        wheel = int(length * 0.11)
        floor = int(self._height * 0.74)
        body = (int(60 + 150 * self._phase), 60, int(200 - 120 * self._phase))
        cv2.rectangle(canvas, (left, floor - 3 * wheel), (left + int(length), floor - wheel // 2), body, -1)
        roof = (left + int(length * 0.22), floor - 5 * wheel), (left + int(length * 0.75), floor - 3 * wheel)
        cv2.rectangle(canvas, *roof, body, -1)
        for share in (0.22, 0.78):
            cv2.circle(canvas, (left + int(length * share), floor - wheel // 2), wheel, _DARK, -1)

    def _draw_person(self, canvas: Image, seconds: float) -> None:
        tall = self._height * 0.3
        way = (seconds / 17 + self._phase) % 2
        # To and fro across the left two thirds, so that the stamp is never behind it.
        x = self._width * (0.06 + 0.56 * (way if way < 1 else 2 - way))
        foot = self._height * 0.92
        stride = tall * 0.16 * math.sin(6 * seconds)
        hip = (int(x), int(foot - tall * 0.45))
        thick = max(2, int(tall * 0.07))
        for side in (stride, -stride):
            cv2.line(canvas, hip, (int(x + side), int(foot)), (70, 50, 40), thick)
        cv2.ellipse(
            canvas,
            (int(x), int(foot - tall * 0.62)),
            (int(tall * 0.12), int(tall * 0.22)),
            0,
            0,
            360,
            (50, 60, 190),
            -1,
        )
        cv2.circle(canvas, (int(x), int(foot - tall * 0.93)), int(tall * 0.08), (150, 180, 225), -1)

    def _write(self, canvas: Image, sequence: int) -> None:
        text = f"{self._camera_id}  {sequence:06d}"
        scale = self._height / 480
        at = (int(12 * scale), int(self._height - 16 * scale))
        for colour, thickness in ((_DARK, 4), (_WHITE, 2)):
            cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale * 0.8, colour, max(1, int(thickness * scale)))
