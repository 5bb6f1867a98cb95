# %% [markdown]
# # A tour in a few minutes
#
# From the competition's files to a checked submission, on faces that the project draws itself. It needs no download and
# no GPU. The cells call the same functions as the commands.
#
# Open it as a notebook (VS Code, Spyder and Jupyter with jupytext read these `# %%` cells), or run it with
# `python notebooks/tour.py`. It writes all files and pictures into one temporary folder and prints its name.

# %%
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.extend([".", "..", str(Path(sys.path[0]).parent)])  # so that it runs in any folder

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
from solution.specialists.landmarks.network import standardise
from solution.specialists.landmarks.predict import load, predict
from solution.specialists.training import HISTORY

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
HOME = Path(solution.__file__).resolve().parents[1]
WORK = Path(tempfile.mkdtemp(prefix="tour-"))
CPU = torch.device("cpu")


def show(name: str, picture: np.ndarray) -> None:
    """Write a picture into the tour's folder. In a notebook, show it, too."""
    path = drawing.save(WORK / f"{name}.png", picture)
    print("Picture:", path)
    if "get_ipython" in globals():
        from IPython.display import Image, display

        display(Image(str(path)))


# %% [markdown]
# ## 1. The data
#
# Kaggle's files hold grey pictures of 96×96 pixels. Some rows have labels for up to 15 keypoints (eyes, brows, nose,
# mouth), and most rows for at most 4. Other people labelled these rows, and they placed points differently. So the two
# kinds of rows are two *subsets*, which are scored separately. The drawn faces have the same files and the same flaws:
# noise, missing points, duplicates and wrong labels.

# %%
DATA = WORK / "tour"
write_drawn(DATA, DrawnSettings(train15=170, train4=230, test15=30, test4=40))
run = Run(WORK, Source(DATA, "tour"), "smoke", CPU, workers=1)
pipeline.data(run)
train, test = run.competition.train, run.competition.test

# %% [markdown]
# Labels of the files: 15-keypoint rows above, 4-keypoint rows below.

# %%
rows = [row for s in SUBSETS for row in np.flatnonzero(train.subset == s)[:6]]
show("labels", drawing.sheet([drawing.face(train.images[row], train.coords[row], zoom=2) for row in rows], columns=6))
labelled = ~np.isnan(train.coords[..., 0])
counts = {f"{s}-keypoint rows": labelled[train.subset == s].sum(axis=0) for s in SUBSETS}
print(pd.DataFrame(counts, index=list(FACE15.points)))

# %% [markdown]
# ## 2. Folds
#
# Each of five folds is held out once. A network is trained on the other four folds and scored on this one. Duplicates
# are always in the same fold, because a network that has learnt one would know the labels of the other.

# %%
pipeline.folds(run)
fold = run.table.fold
print(pd.crosstab(pd.Series(train.subset, name="keypoints"), pd.Series(fold, name="fold")))
print("Pictures that occur more than once:", len(train) - len(np.unique(run.table.group)))

# %% [markdown]
# ## 3. One specialist
#
# A recipe is a small file of settings. `unet_all` is a U-Net: it predicts a heatmap for each keypoint. The point is the
# mean of the map, so it can be between two pixels. At scale `smoke` the network trains for some seconds.

# %%
recipe = recipes.load("unet_all").at("smoke")
print({name: recipe.settings()[name] for name in ("model", "codec", "rows", "epochs", "batch", "optimiser")})
pipeline.train(run, ("unet_all",), fold=0)

# %% [markdown]
# The history has the loss on the training rows and, every few epochs, the root mean squared error (RMSE, in pixels) on
# the held-out rows.

# %%
folder = run.workspace.fold("unet_all", 0)
history = pd.read_csv(folder / HISTORY)
print(history.round(2).to_string(index=False, na_rep=""))
measured = history.dropna(subset="held_rmse")
curve = drawing.Curve("held-out rows", list(zip(measured["epoch"], measured["held_rmse"], strict=True)), "#c2410c")
show("curve", drawing.line_chart(drawing.Chart("unet_all, fold 0", "RMSE in px, by epoch", "epochs", [curve])))

# %% [markdown]
# The baseline predicts the mean of the training labels for every face. The final predictions are better than the end of
# the curve, because they are the mean of six views of each picture (test-time augmentation: shifted and mirrored).

# %%
held, others = train.take(fold == 0), train.take(fold != 0)
predictions = predict(folder, held, CPU)


def score(coords: np.ndarray, labels: np.ndarray) -> float:
    """RMSE in px over the labels of the points that are predicted."""
    return rmse(coords, np.where(np.isnan(coords), np.nan, labels))


def mean_face(coords: np.ndarray) -> np.ndarray:
    """The mean (15, 2) of labels (N, 15, 2); NaN for a point without a label."""
    return pd.DataFrame(coords.reshape(len(coords), -1)).mean().to_numpy().reshape(-1, 2)


figures = {}
for s in SUBSETS:
    labels = held.coords[held.subset == s]
    guess = np.broadcast_to(mean_face(others.coords[others.subset == s]), labels.shape)
    figures[f"{s}-keypoint rows"] = {
        "mean face": score(guess, labels),
        "unet_all": score(predictions.coords[held.subset == s], labels),
    }
print(pd.DataFrame(figures).round(2))

# %% [markdown]
# Held-out faces: rings are labels, dots are predictions. Below, the network's heatmaps over the same faces, each
# keypoint in its own colour.

# %%
_, net, _ = load(folder, CPU)
rows = np.flatnonzero(held.subset == 15)[:6]
with torch.inference_mode():
    maps = net.body(standardise(torch.from_numpy(held.images[rows])))[:, : FACE15.size]  # of the first head
    maps = maps.flatten(2).softmax(-1).unflatten(2, maps.shape[2:]).numpy()
tiles = [drawing.face(held.images[row], held.coords[row], predictions.coords[row], zoom=2) for row in rows]
tiles += [drawing.heat(held.images[row], heatmaps, zoom=2) for row, heatmaps in zip(rows, maps, strict=True)]
show("predictions", drawing.sheet(tiles, columns=6))

# %% [markdown]
# ## 4. The other specialists
#
# The ensemble has ten recipes, which make different errors, with five folds each. One command trains them all. It uses
# all cores, skips what is complete and can be stopped at any time. Here it runs in another process.

# %%
command = [sys.executable, "-m", "solution", "train", "--data", str(DATA), "--scale", "smoke"]
paths = os.pathsep.join([str(HOME), *filter(None, [os.environ.get("PYTHONPATH")])])
done = subprocess.run(command, cwd=WORK, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
if done.returncode:
    raise SystemExit(done.stderr)
print("…", *done.stdout.splitlines()[-3:], sep="\n")

# %% [markdown]
# The held-out rows of all folds together give one prediction for each training row, by a network that was not trained
# on it: the *out-of-fold* predictions. `eye_classifier` predicts only four points, so its figure is of these.

# %%
specialists = pipeline.trained(run)


def by_subset(coords: np.ndarray) -> dict[str, float]:
    """RMSE in px of predictions (N, 15, 2) for the training rows, by subset."""
    predicted = [s for s in SUBSETS if not np.isnan(coords[train.subset == s]).all()]
    return {f"{s}-keypoint": score(coords[train.subset == s], train.coords[train.subset == s]) for s in predicted}


table = pd.DataFrame({each.recipe.name: by_subset(each.oof.coords) for each in specialists}).T
print(table.round(2).to_string(na_rep=""))

# %% [markdown]
# ## 5. The stack
#
# `blend` is a weighted mean of the specialists; its weights are fitted to out-of-fold predictions. `stack` is the blend
# with corrections by LightGBM, from all predictions and their sigma. `plain` is the better of the two for each subset.
# `final` goes into the submission: it is `plain`, with the label drift added if a validation supports it
# (docs/validation.md). LightGBM gains little on so few faces, and more on thousands.

# %%
ensemble = pipeline.stack(run)
print(pd.DataFrame({name: by_subset(coords) for name, coords in ensemble.oof.items()}).T.round(3))
print("Weights in the blend of the 15-keypoint rows:", ensemble.weights[15])

# %% [markdown]
# ## 6. Submission and report
#
# The submission has one value for each row of the lookup table. The file on disk is checked, and a record is written
# beside it. The true points of drawn faces are known, so the report ends with the true score, the expected score and
# its interval.

# %%
pipeline.submission(run)
print(pd.read_csv(run.workspace.submissions / "submission.csv").head().to_string(index=False))

# %%
pipeline.report(run)

# %% [markdown]
# ## Where to go from here
#
# - `./run_all.sh --data FOLDER` runs these stages on the real files, at scale `cpu` in 50 to 85 minutes on two cores.
# - `solution/recipes/` has one file for each specialist. Copy one and change it: the next run trains and stacks it.
# - `python -m solution export unet_all` writes a trained network as one ONNX file for other programs.
# - `docs/architecture.md` explains the parts and the reasons for them.

# %%
print("The files of this tour are in", WORK)
