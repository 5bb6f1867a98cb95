# %% [markdown]
# # A tour in a few minutes
#
# From the competition's files to a checked submission, on faces that the project draws itself: no download, no GPU.
# Every cell uses the functions that the commands are made of, so that what is seen here is what a run does.
#
# Open it as a notebook (VS Code, Spyder and Jupyter with jupytext read these `# %%` cells), or run it whole:
# `python notebooks/tour.py`. Everything it makes, pictures included, goes into one temporary folder, which it names.

# %%
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.extend([".", "..", str(Path(sys.path[0]).parent)])  # to be run from wherever a notebook is opened

import numpy as np
import pandas as pd
import torch

import solution
from solution import pipeline, recipes
from solution.data.synthetic import DrawnSettings, write_drawn
from solution.evaluation.metrics import rmse
from solution.keypoints import FACE15, SUBSETS
from solution.report import drawing
from solution.run import Run, Source
from solution.specialists.job import HISTORY
from solution.specialists.landmarks.network import standardise
from solution.specialists.landmarks.predict import load, predict

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
HOME = Path(solution.__file__).resolve().parents[1]
WORK = Path(tempfile.mkdtemp(prefix="tour-"))
CPU = torch.device("cpu")


def show(name: str, picture: np.ndarray) -> None:
    """Write a picture into the tour's folder; in a notebook, show it as well."""
    path = drawing.save(WORK / f"{name}.png", picture)
    print("Picture:", path)
    if "get_ipython" in globals():
        from IPython.display import Image, display

        display(Image(str(path)))


# %% [markdown]
# ## 1. The data
#
# Kaggle's files hold grey pictures of 96×96 pixels. Some rows are labelled with up to 15 keypoints (eyes, brows, nose,
# mouth), most with 4 at most: other people labelled those, in other ways, so the two kinds are called *subsets* and
# kept apart throughout. The drawn faces have the same files and the same flaws: noise, missing points, duplicates and
# wrong labels.

# %%
DATA = WORK / "tour"
write_drawn(DATA, DrawnSettings(train15=170, train4=230, test15=30, test4=40))
run = Run(WORK, Source(DATA, "tour"), "smoke", CPU, jobs=1)
pipeline.data(run)
train, test = run.competition.train, run.competition.test

# %% [markdown]
# Labels as the files give them: 15 points above, 4 below.

# %%
rows = [row for s in SUBSETS for row in np.flatnonzero(train.subset == s)[:6]]
show("labels", drawing.sheet([drawing.face(train.images[row], train.coords[row], zoom=2) for row in rows], columns=6))
labelled = ~np.isnan(train.coords[..., 0])
counts = {f"{s}-keypoint rows": labelled[train.subset == s].sum(axis=0) for s in SUBSETS}
print(pd.DataFrame(counts, index=list(FACE15.points)))

# %% [markdown]
# ## 2. Folds
#
# Each of five folds is held out once: what is trained on the other four is scored on it. Twins, pictures that the files
# hold twice, always lie in the same fold, since a network that has seen one would know the other's answer.

# %%
pipeline.folds(run)
fold = run.table.fold
print(pd.crosstab(pd.Series(train.subset, name="keypoints"), pd.Series(fold, name="fold")))
print("Pictures that are there more than once:", len(train) - len(np.unique(run.table.group)))

# %% [markdown]
# ## 3. One specialist
#
# A recipe is a small file of settings. `unet_all` is a U-Net: it answers with a heatmap for each keypoint, read as the
# mean of the map, so that places lie between pixels. At scale `smoke` it trains for seconds, enough to see it learn.

# %%
recipe = recipes.load("unet_all").at("smoke")
print({name: recipe.settings()[name] for name in ("model", "codec", "rows", "epochs", "batch", "optimiser")})
pipeline.train(run, ("unet_all",), fold=0)

# %% [markdown]
# Its history: the loss on the training rows, and every few epochs the root mean squared error (RMSE, in pixels) on the
# held-out rows, which it never learns from.

# %%
folder = run.workspace.fold("unet_all", 0)
history = pd.read_csv(folder / HISTORY)
print(history.round(2).to_string(index=False, na_rep=""))
measured = history.dropna(subset="held_rmse")
curve = drawing.Curve("held-out rows", list(zip(measured["epoch"], measured["held_rmse"], strict=True)), "#c2410c")
show("curve", drawing.line_chart(drawing.Chart("unet_all, fold 0", "RMSE in px, by epoch", "epochs", [curve])))

# %% [markdown]
# Is that good? The baseline: answer every face with the mean of the training labels. The last predictions are better
# than the curve's end, since they average six views of each picture: shifted a little, and mirrored.

# %%
held, others = train.take(fold == 0), train.take(fold != 0)
found = predict(folder, held, CPU)


def score(coords: np.ndarray, labels: np.ndarray) -> float:
    """RMSE in px over the labels of what is predicted: a specialist answers for its own points."""
    return rmse(coords, np.where(np.isnan(coords), np.nan, labels))


def mean_face(coords: np.ndarray) -> np.ndarray:
    """The mean of labels (N, 15, 2), (15, 2); NaN for a point that none of them has."""
    return pd.DataFrame(coords.reshape(len(coords), -1)).mean().to_numpy().reshape(-1, 2)


figures = {}
for s in SUBSETS:
    labels = held.coords[held.subset == s]
    guess = np.broadcast_to(mean_face(others.coords[others.subset == s]), labels.shape)
    figures[f"{s}-keypoint rows"] = {
        "mean face": score(guess, labels),
        "unet_all": score(found.coords[held.subset == s], labels),
    }
print(pd.DataFrame(figures).round(2))

# %% [markdown]
# Held-out faces: rings are labels, dots predictions. Below, what the network answers with: a heatmap for each keypoint,
# in a colour of its own, over the same faces.

# %%
_, net, _ = load(folder, CPU)
rows = np.flatnonzero(held.subset == 15)[:6]
with torch.inference_mode():
    maps = net.body(standardise(torch.from_numpy(held.images[rows])))[:, : FACE15.size]  # its first head answers these
    maps = maps.flatten(2).softmax(-1).unflatten(2, maps.shape[2:]).numpy()
tiles = [drawing.face(held.images[row], held.coords[row], found.coords[row], zoom=2) for row in rows]
tiles += [drawing.heat(held.images[row], each, zoom=2) for row, each in zip(rows, maps, strict=True)]
show("predictions", drawing.sheet(tiles, columns=6))

# %% [markdown]
# ## 4. The other specialists
#
# One network is not enough: ten recipes that err differently, five folds each. That is one command, which uses all
# cores, skips what is complete and may be stopped at any time. Here it runs as a process of its own.

# %%
command = [sys.executable, "-m", "solution", "train", "--data", str(DATA), "--scale", "smoke"]
paths = os.pathsep.join([str(HOME), *filter(None, [os.environ.get("PYTHONPATH")])])
done = subprocess.run(command, cwd=WORK, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
if done.returncode:
    raise SystemExit(done.stderr)
print("…", *done.stdout.splitlines()[-3:], sep="\n")

# %% [markdown]
# Put together, the folds' held-out rows give one honest prediction for each training row: *out-of-fold*. Mind that
# `eye_classifier` answers four points only, so that its figure on 15-keypoint rows is of those.

# %%
specialists = pipeline.trained(run)


def by_subset(coords: np.ndarray) -> dict[str, float]:
    """RMSE of coords (N, 15, 2) on the training rows of each subset that it answers, px."""
    answered = [s for s in SUBSETS if not np.isnan(coords[train.subset == s]).all()]
    return {f"{s}-keypoint": score(coords[train.subset == s], train.coords[train.subset == s]) for s in answered}


table = pd.DataFrame({one.recipe.name: by_subset(one.oof.coords) for one in specialists}).T
print(table.round(2).to_string(na_rep=""))

# %% [markdown]
# ## 5. The stack
#
# `blend` is a weighted mean of the specialists, its weights learnt out-of-fold. `stack` lets LightGBM correct the blend
# from all predictions and their spreads. `plain` is the better of the two for each subset. `final` is what the
# submission contains: `plain`, and the drift of the labels where the pictures show where the test pictures stand and
# a validation of the test's own shape supports it. LightGBM gains little on so few faces, and more on thousands.

# %%
made = pipeline.stack(run)
print(pd.DataFrame({name: by_subset(coords) for name, coords in made.oof.items()}).T.round(3))
print("Weights in the blend of the 15-keypoint rows:", made.weights[15])

# %% [markdown]
# ## 6. Submission and report
#
# The submission answers each row of the lookup table. It is checked as it is on disk, with a record beside it. The true
# answers of drawn faces are known, so the report ends with the true score beside the expected one and its interval.

# %%
pipeline.submission(run)
print(pd.read_csv(run.workspace.submissions / "submission.csv").head().to_string(index=False))

# %%
pipeline.report(run)

# %% [markdown]
# ## Where to go from here
#
# - `./run_all.sh --data FOLDER` does all of this on the real files, at scale `cpu` in 50 to 85 minutes on two cores.
# - `solution/recipes/` holds the specialists, one a file: copy one, change it, and the next run trains and stacks it.
# - `python -m solution export unet_all` writes a trained network as one ONNX file for other programs.
# - `docs/architecture.md` explains how the parts fit together, and why they are as they are.

# %%
print("Everything this tour made lies in", WORK)
