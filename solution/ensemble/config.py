"""The settings of the ensemble as frozen values. The stack is made again when one changes.

docs/experiments.md has the results by which the values were chosen.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class BlendConfig:
    """How the blend's weights are fitted."""

    clip: float = 6.0
    """px: a label farther than this from the specialists' median is ignored. It is wrong, or all specialists are."""

    ridge: float = 50.0  # px² of pull towards equal weights, as if that many cells voted for them
    least: float = 1e-9  # least weight of a specialist: where those with weight do not predict, the others answer


@dataclass(frozen=True, kw_only=True)
class GatingConfig:
    """When the blend of a face leaves a specialist out: all three conditions hold."""

    distance: float = 8.0
    """px from the least uncertain specialist, at least: root mean square of the distances between points."""

    ratio: float = 1.3  # its relative uncertainty as a multiple of the least one, at least
    weight: float = 0.2
    """Mean weight in the blend, at least, of it and of the least uncertain one. Weak ones can be sure and wrong."""


@dataclass(frozen=True, kw_only=True)
class TreesConfig:
    """LightGBM's own parameters, by its names."""

    objective: str = "huber"
    alpha: float = 1.5  # px: larger residuals count linearly
    learning_rate: float = 0.03
    num_leaves: int = 15
    min_data_in_leaf: int = 150  # labelled cells
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.7
    bagging_freq: int = 1
    lambda_l2: float = 20.0
    deterministic: bool = True
    force_row_wise: bool = True
    num_threads: int = 1
    verbosity: int = -1


@dataclass(frozen=True, kw_only=True)
class StackerConfig:
    """How the trees over the blend are fitted."""

    rounds: int = 250  # trees for each subset, fold and axis
    clip: float = 6.0  # px: larger residuals are clipped, since such labels are wrong or such faces are missed
    trees: TreesConfig = field(default_factory=TreesConfig)

    @property
    def fewest(self) -> int:
        """Labelled cells that one split needs. From fewer the trees could only learn a constant."""
        return 2 * self.trees.min_data_in_leaf


@dataclass(frozen=True, kw_only=True)
class RidgeConfig:
    """How the ridge regression is fitted, a baseline of the trees."""

    clip: float = 4.0  # px: larger residuals are clipped, since such labels are wrong or such faces are missed
    alpha: float = 300.0  # penalty on standardised columns: some hundred columns, some thousand rows


@dataclass(frozen=True, kw_only=True)
class DriftConfig:
    """How label drift is read and extrapolated."""

    clip: float = 4.0  # px: larger residuals are clipped, since such labels are wrong or such faces are missed
    prior: float = 3.0  # rows' worth of "no drift": limits what a few labelled rows can show
    near15: float = 40.0  # rows: standard deviation of the Gaussian over rows whose places are known, 15-keypoint rows
    near4: float = 12.0  # the same for 4-keypoint rows
    windows: tuple[int, ...] = (50, 100)  # last rows whose mean residual is extrapolated: the values that are tried
    factors: tuple[float, ...] = (0.3, 0.5, 0.7, 0.9)  # share of that mean which the next row keeps
    decays: tuple[float, ...] = (50.0, 100.0, 150.0, 200.0)  # rows after which a share of 1/e is left
    step: int = 50  # rows between the stretches on which the extrapolation is validated
    fewest: int = 10  # stretches that the extrapolation needs

    def near(self, subset: int) -> float:
        """Standard deviation of a subset's Gaussian, rows."""
        return self.near15 if subset == 15 else self.near4


@dataclass(frozen=True, kw_only=True)
class DuplicatesConfig:
    """How much the labels of duplicates count beside predictions, with --use-duplicates."""

    clip: float = 6.0
    """px: larger differences are clipped. They are labelling errors or missed faces, and would dominate the squares."""

    ridge: float = 50.0  # px² of pull towards the prediction alone: a single pair of duplicates decides nothing
    share15: float = 0.0
    """Share of the out-of-fold weight that 15-keypoint test pictures get: the training rows have one pair of
    duplicates, which shows nothing."""

    share4: float = 0.8
    """The same for 4-keypoint pictures: less than the hold-outs ask for, as a caution, since most pipelines have
    learnt from the duplicate."""

    def share(self, subset: int) -> float:
        """The share of a subset."""
        return self.share15 if subset == 15 else self.share4


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig:
    """Everything that the stack stage's result depends on, beside trainings and data."""

    blend: BlendConfig = field(default_factory=BlendConfig)
    gating: GatingConfig = field(default_factory=GatingConfig)
    stacker: StackerConfig = field(default_factory=StackerConfig)
    ridge: RidgeConfig = field(default_factory=RidgeConfig)
    drift: DriftConfig = field(default_factory=DriftConfig)


CONFIG = EnsembleConfig()
