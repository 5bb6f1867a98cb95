import numpy as np
import pytest

from solution.data.reader import read_competition
from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.write import write_drawn
from solution.faces import FaceSet


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    """Forty 15-keypoint and sixty 4-keypoint drawn rows without a wrong label, five pairs of duplicates among them."""
    folder = tmp_path_factory.mktemp("right")
    write_drawn(folder, DrawnSettings(train15=40, train4=60, test15=5, test4=5, wrong=0.0))
    return read_competition(folder, tmp_path_factory.mktemp("cache")).train


@pytest.fixture
def singles(truth: FaceSet) -> np.ndarray:
    """Rows without a duplicate and without a missing label, 15-keypoint rows first."""
    full = (~np.isnan(truth.coords[..., 0])).sum(axis=1) == truth.subset
    _, first, size = np.unique([image.tobytes() for image in truth.images], return_index=True, return_counts=True)
    return np.intersect1d(first[size == 1], np.flatnonzero(full))
