"""What every job of a run needs on another machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solution.data.competition import Competition
from solution.faces import FoldTable
from solution.runtime.workers.ray_worker import Files, unpack
from solution.specialists.job import Job

PAUSE = 60.0
WEIGHTS_FOLDER = "weights"


@dataclass(frozen=True, eq=False)
class Shared:
    """The data and the pretrained weights of a run: sent once to each machine."""

    root: str  # the folder of all trainings on the driver
    competition: Competition
    table: FoldTable
    files: Files  # the pretrained weights by file name
    pause: float  # the least seconds between two checkpoints of a job that go to the driver

    def place(self, job: Job, root: Path) -> Job:
        """The job in a folder of another machine, with the shared data."""
        unpack(root / WEIGHTS_FOLDER, self.files)
        return self._moved(job, root)

    def _moved(self, job: Job, root: Path) -> Job:
        return replace(
            job,
            folder=root / job.folder.relative_to(self.root),
            data=self,
            parent=self._moved(job.parent, root) if job.parent else None,
            weights=root / WEIGHTS_FOLDER / job.weights.name if job.weights else None,
        )


def shared(jobs: Sequence[Job], pause: float = PAUSE) -> Shared:
    """What all of these jobs need. They are jobs of one run."""
    data, weights = jobs[0].data, {job.weights for job in jobs if job.weights}
    return Shared(
        root=str(jobs[0].folder.parents[1]),
        competition=data.competition,
        table=data.table,
        files={path.name: path.read_bytes() for path in sorted(weights)},
        pause=pause,
    )
