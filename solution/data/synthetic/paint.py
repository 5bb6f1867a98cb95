"""One picture of one face: background, body, head, features, hair, glasses, then the camera."""

from dataclasses import dataclass

import cv2
import numpy as np

from solution.data.synthetic.anatomy import SIDES, Anatomy, random_anatomy
from solution.data.synthetic.canvas import FINE, Canvas, texture
from solution.data.synthetic.features import paint_features
from solution.data.synthetic.geometry import shifted, superellipse
from solution.data.synthetic.hair import (
    ear_outlines,
    hair_light,
    head_outline,
    paint_back_hair,
    paint_beard,
    paint_front_hair,
)
from solution.data.synthetic.relief import random_lamp, shading
from solution.keypoints import SIZE


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """A picture with its true points."""

    image: np.ndarray  # (96, 96) uint8
    points15: np.ndarray  # (15, 2) pixels, as in the 15-keypoint subset
    points4: np.ndarray  # (4, 2) pixels, as in the 4-keypoint subset


def draw_face(rng: np.random.Generator) -> DrawnFace:
    """One face with its points, all from this generator."""
    face = random_anatomy(rng)
    canvas = Canvas(_background(rng))
    shade = shading(face, random_lamp(rng))
    hair = hair_light(face, shade, rng)
    paint_back_hair(canvas, face, hair)
    _body(canvas, face, rng)
    _head(canvas, face, shade, rng)
    paint_beard(canvas, face, hair, rng)
    paint_features(canvas, face, rng)
    paint_front_hair(canvas, face, hair, rng)
    if face.style.glasses:
        _glasses(canvas, face, rng)
    return DrawnFace(_photograph(canvas.light, rng), face.keypoints(), face.keypoints_of_four())


def _background(rng: np.random.Generator) -> np.ndarray:
    """Flat, graded or cluttered and out of focus, (FINE, FINE) float32."""
    corners = rng.uniform(0, 1) + rng.uniform(0, 0.25) * rng.standard_normal((2, 2))
    light: np.ndarray = cv2.resize(corners.astype(np.float32), (FINE, FINE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.6:
        n = int(rng.integers(3, 9))
        clutter = rng.standard_normal((n, n), dtype=np.float32) * np.float32(rng.uniform(0.05, 0.25))
        light += cv2.resize(clutter, (FINE, FINE), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.35:
        x, tone = rng.uniform(0, SIZE), rng.uniform(-0.3, 0.3)
        slab = np.array([[x, -1], [x + rng.uniform(5, 50), -1], [x + rng.uniform(5, 50), SIZE], [x - 5, SIZE]])
        Canvas(light).fill(slab, tone, gain=1.0, soft=0.8)
    return np.clip(light, 0, 1.1)


def _body(canvas: Canvas, face: Anatomy, rng: np.random.Generator) -> None:
    """Neck under the jaw's shadow, and a collar."""
    skin, width = face.head.skin, 0.66 * face.head.half_width
    lean = -25 * np.sin(face.pose.yaw)
    neck = np.array([[-width, 30], [width, 30], [width + 2, 74], [width + 14, 90], [-width - 14, 90], [-width - 2, 74]])
    canvas.fill(face.pose.place(shifted(neck, lean, 0)), 0.55 * skin, soft=0.8)
    drop, tone = rng.uniform(66, 80), rng.uniform(0.05, 0.95)
    left, right = np.array([[-90, drop + 22], [-width - 4, drop]]), np.array([[width + 4, drop], [90, drop + 22]])
    neckline = np.array([[0.0, drop + rng.uniform(2, 14)]])
    hem = np.array([[90.0, 140.0], [-90.0, 140.0]])
    cloth = shifted(np.concatenate([left, neckline, right, hem]), lean, 0)
    canvas.fill(face.pose.place(cloth), tone * np.exp(0.08 * texture("spots", rng)), soft=0.5)


def _head(canvas: Canvas, face: Anatomy, shade: np.ndarray, rng: np.random.Generator) -> None:
    """Ears and head in lit skin, with blotches, and darker where the surface turns away."""
    blotches = 1 + np.float32(0.03) * texture("spots", rng) + np.float32(0.025) * texture("grain", rng)
    skin = np.float32(face.head.skin) * shade * blotches
    if face.head.ears:
        for ear in ear_outlines(face):
            canvas.fill(ear, 0.9 * skin, soft=0.4)
            middle = ear.mean(axis=0)
            canvas.fill(middle + 0.55 * (ear - middle), gain=0.7, alpha=0.8, soft=0.8)
    outline = face.pose.place(head_outline(face))
    canvas.fill(shifted(outline, 0, 2.0), gain=0.55, alpha=0.6, soft=2.0)
    canvas.fill(outline, skin, soft=0.5)


def _glasses(canvas: Canvas, face: Anatomy, rng: np.random.Generator) -> None:
    """Two rims on the nose with a bridge and temples; the glass mirrors a little."""
    wide, high = rng.uniform(10, 13.5), rng.uniform(7, 10.5)
    power, width = rng.uniform(2, 4), rng.uniform(0.5, 1.7) * face.pose.scale
    tone, glare = (rng.uniform(0.02, 0.2) if rng.random() < 0.7 else rng.uniform(0.4, 0.9)), rng.uniform(0, 0.25)
    drop, slide = rng.uniform(0.5, 3), rng.uniform(-1, 1)
    for side in SIDES:
        middle = np.array([side * (face.eyes.distance / 2 + 0.6), drop])
        flat = middle + superellipse(wide, high, power, 0, 2 * np.pi, 33)
        rim = face.pose.project(face.head.lift(flat, 4))
        canvas.fill(rim, glare * 0.3, gain=0.93, soft=0.2)
        streak = np.array([[-2, -high], [3, -high], [-1, high], [-6, high]])
        streak = shifted(streak, middle[0] + 4 * slide, drop)
        canvas.fill(face.pose.project(face.head.lift(streak, 4)), glare, gain=1.0, soft=1.2, within=rim)
        canvas.stroke(shifted(rim, 0, 1.0), width, gain=0.6, alpha=0.5, soft=0.7)
        canvas.stroke(rim, width, tone, alpha=0.92, soft=0.2)
        arm = np.array([[middle[0] + side * wide, drop - 2], [side * face.head.half_width * 0.98, drop - 3]])
        canvas.stroke(face.pose.project(face.head.lift(arm, 2)), width, tone, alpha=0.9, soft=0.2)
    inner = face.eyes.distance / 2 + 0.6 - wide
    bridge = np.array([[-inner, drop - 1], [0, drop - 2.5], [inner, drop - 1]])
    canvas.stroke(face.pose.project(face.head.lift(bridge, 7)), width, tone, alpha=0.92, soft=0.2)


def _photograph(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Focus, exposure, contrast and noise; (FINE, FINE) float32 light in, (96, 96) uint8 out."""
    focus = 0.25 + rng.gamma(2.0, 0.22)
    small = cv2.resize(light, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), focus)
    deviation = np.clip(rng.normal(49, 12), 18, 80)
    small = (small - small.mean()) / (small.std() + 1e-3) * deviation + np.clip(rng.normal(122, 28), 50, 190)
    small += np.float32(rng.gamma(2.0, 1.0)) * rng.standard_normal(small.shape, dtype=np.float32)
    return np.clip(np.round(small), 0, 255).astype(np.uint8)
