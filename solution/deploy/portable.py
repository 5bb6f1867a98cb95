"""A trained network as one ONNX or TorchScript file, which other programs run without this code.

The file holds preprocessing, heads, decoding and the label offset: it takes grey pictures and gives points in pixels.
It reads one view of a picture. The predictions of a run are the mean of six views, with a crop search
(solution/specialists/landmarks/predict.py).
"""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from solution.faces import FaceSet
from solution.specialists.landmarks.label_offset import LabelOffset
from solution.specialists.landmarks.network import LandmarkNet, standardise

ONNX, TORCHSCRIPT = "onnx", "torchscript"
SUFFIX = {ONNX: ".onnx", TORCHSCRIPT: ".pt"}
IN, OUT = ["images", "subset"], ["coords", "sigma"]
OPSET = 18
FACTS = "facts.json"
"""The extra file of a TorchScript file with its facts. An ONNX file has them in its metadata."""

BATCH = 64

Answer = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Takes pictures (N, 96, 96) uint8 and subset (N,) int64; gives coords (N, K, 2) and sigma (N, K), float32 pixels."""


class Portable(nn.Module):
    """A trained network and its label offset, in operations that both formats have.

    Takes images (N, 96, 96) uint8 and subset (N,) int64: 15 or 4, the kind of labels to predict. Gives coords (N, K, 2)
    and sigma (N, K), float32 pixels; NaN for points that the recipe does not predict for a subset.
    """

    route: Tensor
    shift: Tensor

    def __init__(self, net: LandmarkNet, offset: LabelOffset) -> None:
        super().__init__()
        self.body, self.codec = net.body, net.codec
        shift = torch.stack([torch.from_numpy(offset.values), torch.zeros_like(net.route, dtype=torch.float32)], -1)
        self.register_buffer("route", net.route.clamp(min=0))
        # A point that is not predicted is shifted by NaN. The shift in y is 0 or NaN, so that it serves sigma, too.
        self.register_buffer("shift", shift.masked_fill((net.route < 0)[..., None], torch.nan))
        self.eval()

    def forward(self, images: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
        raw = self.codec.decode(self.body(standardise(images)))
        (coords, sigma), (coords4, sigma4) = (self._routed(*raw, row) for row in (0, 1))
        four = (subset == 4)[:, None]
        return torch.where(four[..., None], coords4, coords), torch.where(four, sigma4, sigma)

    def _routed(self, coords: Tensor, sigma: Tensor, row: int) -> tuple[Tensor, Tensor]:
        """The outputs in the schema's order, as the rows of one kind (1: 4-keypoint, 0: others) have them."""
        route, shift = self.route[row], self.shift[row]
        return coords.index_select(1, route) + shift, sigma.index_select(1, route) + shift[:, 1]


def write(kind: str, net: Portable, path: Path, facts: dict[str, str]) -> None:
    """Write the network as ONNX or TORCHSCRIPT, with facts about it."""
    with _quiet():
        _WRITE[kind](net, path, facts)


def load(kind: str, path: Path) -> Answer:
    """Open a written file. It runs on one thread of the CPU."""
    with _quiet():
        return _OPEN[kind](path)


def in_pytorch(net: LandmarkNet, offset: LabelOffset, bf16: bool = False) -> Answer:
    """The reference for a file: one view by the code that trains and predicts, in fp32 or bf16."""
    network = _in_torch(net, bf16)

    def answer(images: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        coords, sigma = network(images, subset)
        return offset.restore(coords, subset), sigma

    return answer


def farthest(answer: Answer, reference: Answer, faces: FaceSet) -> float:
    """The largest difference of two answers in a coordinate or a sigma, in pixels; inf if only one of them has it."""
    largest = 0.0
    for rows in _batches(len(faces)):
        inputs = np.ascontiguousarray(faces.images[rows]), faces.subset[rows].astype(np.int64)
        for ours, theirs in zip(answer(*inputs), reference(*inputs), strict=True):
            if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
                return float("inf")
            largest = max(largest, float(np.nan_to_num(np.abs(ours - theirs)).max()))
    return largest


def _batches(n: int) -> Iterator[slice]:
    """One face, then BATCH at a time. This reveals a file that works only for the number of pictures in its trace."""
    yield slice(0, 1)
    for start in range(1, n, BATCH):
        yield slice(start, start + BATCH)


def _write_onnx(net: Portable, path: Path, facts: dict[str, str]) -> None:
    number = torch.export.Dim("N")
    graph = torch.export.export(net, _example(), dynamic_shapes=({0: number}, {0: number}))
    program = torch.onnx.export(graph, input_names=IN, output_names=OUT, opset_version=OPSET, verbose=False)
    assert program is not None
    program.save(path)
    model = onnx.load(path, format="protobuf")  # for any suffix
    onnx.helper.set_model_props(model, facts)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path, format="protobuf")


def _write_torchscript(net: Portable, path: Path, facts: dict[str, str]) -> None:
    traced = torch.jit.freeze(torch.jit.trace(net, _example(), check_trace=False).eval())
    content = io.BytesIO()  # because torch does not accept every file name
    torch.jit.save(traced, content, _extra_files={FACTS: json.dumps(facts)})
    path.write_bytes(content.getvalue())


def _example() -> tuple[Tensor, Tensor]:
    """Two pictures for the trace, one of each subset."""
    images = torch.randint(0, 256, (2, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return images, torch.tensor([15, 4])


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the libraries' progress and torch's warnings.

    The warnings are that TorchScript is old, and that a trace may contain sizes as constants. `farthest` checks for
    such sizes.
    """
    logging.disable(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _open_onnx(path: Path) -> Answer:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    return lambda images, subset: tuple(session.run(OUT, dict(zip(IN, (images, subset), strict=True))))


def _open_torchscript(path: Path) -> Answer:
    return _in_torch(torch.jit.load(str(path)))


def _in_torch(net: Callable[..., tuple[Tensor, Tensor]], bf16: bool = False) -> Answer:
    def answer(images: np.ndarray, subset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            coords, sigma = net(torch.from_numpy(images), torch.from_numpy(subset))
        return coords.numpy(), sigma.numpy()

    return answer


_WRITE = {ONNX: _write_onnx, TORCHSCRIPT: _write_torchscript}
_OPEN = {ONNX: _open_onnx, TORCHSCRIPT: _open_torchscript}
