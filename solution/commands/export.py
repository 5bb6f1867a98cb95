"""`export`: a trained network for other programs."""

import argparse
from pathlib import Path

from solution.verb import Verb, add_run_options

VERB = Verb(
    "write a trained fold's network as one file for other programs",
    "a training",
    "RECIPE-foldK.onnx or .pt",
    (
        "export unet_15",
        "export timm_all --fold 2 --format torchscript --out faces.pt",
        "export unet_all --data ~/fkd --scale cpu --bench",
    ),
)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="which specialist: any but the eye classifier")
    parser.add_argument("--format", choices=("onnx", "torchscript"), default="onnx", help="default: onnx")
    parser.add_argument("--fold", type=int, default=0, metavar="K", help="which fold's network (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: folds/DATASET/export/RECIPE-foldK.onnx, .pt")
    parser.add_argument("--bench", action="store_true", help="measure its speed beside PyTorch's, one thread")
    add_run_options(parser)


def run(options: argparse.Namespace, root: Path) -> None:
    from solution import export, recipes
    from solution.session import open_run

    recipes.load(options.recipe)  # a misspelt name is told before any file is read
    export.export(open_run(options, root), options.recipe, options.fold, options.format, options.out, options.bench)
