"""The random parameters of one drawn face, and where its keypoints are. Lengths are in pixels of an average face.

Means and standard deviations follow the competition's faces (eyes 36.5 px apart, nose tip 20 px below them, ...).
A face is as likely as its mirror image, so labels without an offset are symmetric in the mean.
"""

from dataclasses import dataclass, replace

import numpy as np

from solution.data.synthetic.geometry import Pose
from solution.keypoints import SIZE

MARGIN = 5.0  # distance in pixels that every keypoint keeps from the picture's edge

HAIR_KINDS = ("short", "parted", "fringe", "long", "curly", "receding", "bald", "hat")
HAIR_WEIGHTS = (0.24, 0.16, 0.12, 0.2, 0.09, 0.09, 0.06, 0.04)

SIDES = (1, -1)  # the person's left (the picture's right, bigger x), then the right


@dataclass(frozen=True, kw_only=True)
class Head:
    """Skull, jaw and skin."""

    half_width: float
    chin: float  # below the eyes
    jaw: float  # power of its superellipse, 2: round
    ears: bool
    skin: float  # tone
    age: float  # 0 to 1

    def depth(self, xy: np.ndarray) -> np.ndarray:
        """Height z of the bare head above points (N, 2) of face space, (N,)."""
        round_off = (xy[:, 0] / (self.half_width + 4)) ** 2 + ((xy[:, 1] - 14) / 85) ** 2
        return 40 * np.sqrt(np.clip(1 - round_off, 0.02, 1))

    def lift(self, xy: np.ndarray, above: float | np.ndarray = 0.0) -> np.ndarray:
        """Points (N, 2) put on the head's surface, `above` pixels in front of it, (N, 3)."""
        return np.column_stack([xy, self.depth(xy) + above])


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Both eyes."""

    distance: float  # between the centres
    half_width: float
    upper: float  # opening of the upper lid
    lower: float  # opening of the lower lid
    slant: float  # of the outer corner above the inner one
    iris: float  # radius
    iris_tone: float
    gaze: tuple[float, float]  # shift of the iris, x and y

    def centre(self, side: int) -> np.ndarray:
        """The iris' middle, (1, 2)."""
        return np.array([[side * self.distance / 2 + self.gaze[0], self.gaze[1]]])

    def lids(self, side: int, n: int = 13) -> tuple[np.ndarray, np.ndarray]:
        """Upper and lower lid from the inner to the outer corner, two of (n, 2)."""
        s = np.linspace(-1, 1, n)
        x = side * (self.distance / 2 + s * self.half_width)
        corner_line = 0.7 - s * self.slant
        arch = 1 - np.abs(s) ** 2.2
        return np.stack([x, corner_line - self.upper * arch], 1), np.stack([x, corner_line + self.lower * arch], 1)


@dataclass(frozen=True, kw_only=True)
class Brows:
    """Both brows."""

    inner: float  # distance of the inner end from the middle
    outer: float
    height: float  # above the eyes
    rise: float  # of the outer end above the inner one
    arch: float
    thickness: float
    strength: float  # 0 to 1

    def line(self, side: int, n: int = 9) -> np.ndarray:
        """The brow's middle line from the inner to the outer end, (n, 2)."""
        s = np.linspace(0, 1, n)
        y = -self.height - self.rise * s - self.arch * 4 * s**1.5 * (1 - s)
        return np.stack([side * (self.inner + s * (self.outer - self.inner)), y], axis=1)


@dataclass(frozen=True, kw_only=True)
class Nose:
    """The nose."""

    tip: float  # below the eyes
    wing: float  # half its width
    reach: float  # of the tip in front of the face


@dataclass(frozen=True, kw_only=True)
class Mouth:
    """The mouth."""

    y: float  # below the eyes
    half_width: float
    upper: float  # thickness of the lip
    lower: float
    opening: float  # between the lips
    smile: float
    skew: float  # of one corner below the other
    teeth: bool
    lip_gain: float  # tone of the lips, a factor on the skin's

    def curves(self, n: int = 17) -> np.ndarray:
        """Four curves from the right to the left corner, (4, n, 2): lip top, upper lip's and lower lip's inner edge,
        lip bottom. The middle point of each is at index n // 2."""
        s = np.linspace(-1, 1, n)
        arch = 1 - s**2
        line = self.y - 3.0 * self.smile * s**2 + 0.8 * self.smile * arch + self.skew * s
        bow = 1 - 0.16 * np.exp(-((s / 0.16) ** 2))
        upper_inner = line - 0.25 * self.opening * arch
        lower_inner = line + 0.75 * self.opening * arch**0.8
        top = upper_inner - self.upper * arch**0.75 * bow
        bottom = lower_inner + self.lower * arch**0.7
        return np.stack([np.stack([s * self.half_width, y], 1) for y in (top, upper_inner, lower_inner, bottom)])


@dataclass(frozen=True, kw_only=True)
class Style:
    """Hair, beard and glasses."""

    hair: str  # one of HAIR_KINDS
    hair_tone: float
    hairline: float  # above the eyes
    volume: float
    part: float  # the side to which hair falls, -1 to 1
    beard: float  # strength, 0 to 1
    moustache: float  # strength, 0 to 1
    glasses: bool


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """One face: pose, parts, and style."""

    pose: Pose
    head: Head
    eyes: Eyes
    brows: Brows
    nose: Nose
    mouth: Mouth
    style: Style

    def keypoints(self) -> np.ndarray:
        """The fifteen points in FACE15's order, picture pixels, (15, 2)."""
        lids = [self.eyes.lids(side)[0] for side in SIDES]
        brows = [self.brows.line(side) for side in SIDES]
        curves = self.mouth.curves()
        middle = curves.shape[1] // 2
        flat = [self.eyes.centre(side)[0] for side in SIDES]
        flat += [lid[end] for lid in lids for end in (0, -1)]
        flat += [brow[end] for brow in brows for end in (0, -1)]
        flat += [np.array([0.0, self.nose.tip])]
        flat += [curves[0, -1], curves[0, 0], curves[0, middle], curves[3, middle]]
        above = np.zeros(len(flat))
        above[10] = self.nose.reach
        above[13:15] = 3.0
        return self.pose.project(self.head.lift(np.array(flat), above))

    def keypoints_of_four(self) -> np.ndarray:
        """The four points in FACE4's order as the second source places them: under the nose, mid-mouth, (4, 2)."""
        curves = self.mouth.curves()
        between_lips = curves[1:3, curves.shape[1] // 2].mean(axis=0)
        under_nose = np.array([0.0, self.nose.tip + 6.0])
        flat = np.array([*(self.eyes.centre(side)[0] for side in SIDES), under_nose, between_lips])
        return self.pose.project(self.head.lift(flat, np.array([0.0, 0.0, 0.5 * self.nose.reach, 3.0])))


def _near(rng: np.random.Generator, mean: float, deviation: float) -> float:
    """A normal number kept within 2.2 deviations, so that every face is plausible."""
    return mean + deviation * float(np.clip(rng.standard_normal(), -2.2, 2.2))


def _pose(rng: np.random.Generator) -> Pose:
    return Pose(
        yaw=np.radians(_near(rng, 0, 12)),
        pitch=np.radians(_near(rng, 0, 6)),
        roll=np.radians(_near(rng, 0, 5.5)),
        scale=_near(rng, 1, 0.075),
        centre=(_near(rng, 47.5, 2.2), _near(rng, 37, 2.2)),
    )


def _eyes(rng: np.random.Generator) -> Eyes:
    nearly_closed = rng.random() < 0.03
    openness = rng.uniform(0.25, 0.5) if nearly_closed else _near(rng, 1, 0.14)
    return Eyes(
        distance=_near(rng, 36.5, 1.4),
        half_width=_near(rng, 7.0, 0.5),
        upper=3.6 * openness,
        lower=2.0 * openness,
        slant=_near(rng, 0.3, 0.6),
        iris=_near(rng, 3.0, 0.2),
        iris_tone=rng.uniform(0.1, 0.9),
        gaze=(_near(rng, 0, 0.8), _near(rng, -0.1, 0.3)),
    )


def _mouth(rng: np.random.Generator) -> Mouth:
    smile = max(0.0, _near(rng, 0.4, 0.5))
    opening = rng.uniform(1, 4 + 5 * rng.random()) if rng.random() < 0.25 + 0.3 * smile else 0.0
    return Mouth(
        y=_near(rng, 39.6, 1.9),
        half_width=_near(rng, 14.2, 1.2) + 2.6 * smile,
        upper=_near(rng, 3.2, 0.6),
        lower=_near(rng, 4.5, 0.8),
        opening=opening,
        smile=smile,
        skew=_near(rng, 0, 0.35),
        teeth=bool(rng.random() < 0.3 + 0.6 * smile),
        lip_gain=rng.uniform(0.58, 0.92),
    )


def _style(rng: np.random.Generator, age: float) -> Style:
    bearded, light = rng.random() < 0.22, rng.random() < 0.25 + 0.4 * age
    return Style(
        hair=str(rng.choice(HAIR_KINDS, p=HAIR_WEIGHTS)),
        hair_tone=rng.uniform(0.3, 0.72) if light else rng.uniform(0.04, 0.25),
        hairline=_near(rng, 29, 4),
        volume=rng.uniform(2, 8),
        part=rng.uniform(-1, 1),
        beard=rng.uniform(0.25, 0.95) if bearded else 0.0,
        moustache=rng.uniform(0.3, 0.95) if bearded or rng.random() < 0.07 else 0.0,
        glasses=bool(rng.random() < 0.2),
    )


def random_anatomy(rng: np.random.Generator) -> Anatomy:
    """One face's parameters, with every keypoint at least MARGIN pixels inside the picture."""
    age, mouth = rng.random() ** 1.5, _mouth(rng)
    head = Head(
        half_width=_near(rng, 39, 2.4),
        chin=_near(rng, 62, 2) + 0.6 * mouth.opening,
        jaw=rng.uniform(1.95, 2.6),
        ears=bool(rng.random() < 0.8),
        skin=_near(rng, 0.62, 0.13),
        age=age,
    )
    brows = Brows(
        inner=_near(rng, 8.2, 1.0),
        outer=_near(rng, 31, 1.2),
        height=_near(rng, 7.6, 1.5),
        rise=_near(rng, -0.3, 1.0),
        arch=rng.uniform(0.5, 3.2),
        thickness=rng.uniform(1.8, 4.0),
        strength=rng.uniform(0.6, 1.0),
    )
    nose = Nose(tip=_near(rng, 20.3, 1.7), wing=_near(rng, 7.2, 0.9), reach=_near(rng, 15, 2))
    anatomy = Anatomy(
        pose=_pose(rng), head=head, eyes=_eyes(rng), brows=brows, nose=nose, mouth=mouth, style=_style(rng, age)
    )
    return _inside(anatomy)


def _inside(anatomy: Anatomy) -> Anatomy:
    """The same face moved as little as brings all its keypoints inside the margin."""
    points = np.concatenate([anatomy.keypoints(), anatomy.keypoints_of_four()])
    low, high = points.min(axis=0), points.max(axis=0)
    shift = np.maximum(0, MARGIN - low) - np.maximum(0, high - (SIZE - 1 - MARGIN))
    centre = (anatomy.pose.centre[0] + float(shift[0]), anatomy.pose.centre[1] + float(shift[1]))
    return replace(anatomy, pose=replace(anatomy.pose, centre=centre))
