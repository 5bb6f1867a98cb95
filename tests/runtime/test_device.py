import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from solution.runtime.device import (
    LOG,
    generator,
    log_to,
    pick_device,
    quick_dtype,
    quick_precision,
    seed_for,
    set_threads,
)
from solution.runtime.errors import UserError


def test_a_seed_depends_on_every_part_and_on_nothing_else():
    seeds = {seed_for(*parts) for parts in (("unet", 0, "order"), ("unet", 1, "order"), ("unet", 0, "init"), ("u", 0))}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**32 for seed in seeds)
    np.testing.assert_array_equal(generator("a", 1).random(3), generator("a", 1).random(3))


def test_devices_are_picked_by_what_there_is(gpus: Callable[[int], None]):
    gpus(0)
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="--device cuda: expected a GPU that torch can use, found 0"):
        pick_device("cuda")
    gpus(2)
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda")
    assert pick_device("cuda:1").index == 1
    with pytest.raises(UserError, match="found 2"):
        pick_device("cuda:2")


@pytest.mark.parametrize(
    ("has", "capability", "cpu", "gpu"),
    [
        ({"cpu_name": "Intel Xeon", "amx_bf16": True}, (8, 6), "bfloat16", "bfloat16"),
        ({"cpu_name": "Intel Xeon", "amx_bf16": False}, (7, 5), "float32", "float32"),
        ({"cpu_name": "AMD EPYC", "amx_bf16": False}, (9, 0), "bfloat16", "bfloat16"),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": False}, (6, 1), "float32", "float32"),
        ({}, (8, 0), "float32", "bfloat16"),
    ],
)
def test_bf16_where_the_device_is_quick_at_it(
    monkeypatch: pytest.MonkeyPatch, has: dict[str, object], capability: tuple[int, int], cpu: str, gpu: str
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True, **has})
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert quick_dtype(torch.device("cpu")) == getattr(torch, cpu)
    assert quick_dtype(torch.device("cuda")) == getattr(torch, gpu)
    with quick_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == getattr(torch, cpu)
    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("wish", ["gpu", "mps", "cuda:x", "cpu:0", ""])
def test_an_unknown_device_is_a_user_error(wish: str):
    with pytest.raises(UserError, match="expected auto, cpu, cuda"):
        pick_device(wish)


def test_lines_also_go_to_the_file(tmp_path: Path):
    LOG.setLevel(logging.INFO)
    log_to(tmp_path / "deep" / "log.txt")
    LOG.info("one %d", 1)
    assert (tmp_path / "deep" / "log.txt").read_text().endswith("INFO one 1\n")


def test_threads_are_set():
    set_threads(1)
    assert torch.get_num_threads() == 1
