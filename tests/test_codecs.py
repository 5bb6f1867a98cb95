import pytest
import torch

from solution.codecs import Codec, Coordinates, Direct, Heatmap, SimCC, codec_from

COORDS = torch.rand(8, 15, 2, generator=torch.Generator().manual_seed(0)) * 75 + 10


@pytest.mark.parametrize(
    ("codec", "sigma"),
    [(Heatmap(size=24), 3.0), (Heatmap(size=48), 2.0), (Heatmap(size=96), 1.0), (SimCC(bins=192), 1.5)],
)
def test_distributions_round_trip(codec: Heatmap | SimCC, sigma: float):
    coords, decoded = codec.decode(codec.encode(COORDS, sigma))
    assert (coords - COORDS).abs().max() < 0.05
    assert (decoded - sigma).abs().max() < 0.05


def test_direct_round_trips_exactly_and_has_no_sigma():
    coords, decoded = Direct().decode(Direct().encode(COORDS))
    torch.testing.assert_close(coords, COORDS, atol=1e-5, rtol=0)
    assert decoded.shape == (8, 15)
    assert decoded.isnan().all()
    centre = torch.full((1, 1, 2), 47.5)
    assert Direct().encode(centre).abs().max() == 0


def test_a_single_lit_cell_is_read_at_its_centre():
    raw = torch.full((1, 1, 24, 24), -100.0)
    raw[0, 0, 5, 3] = 100.0
    coords, decoded = Heatmap(size=24).decode(raw)
    assert coords[0, 0].tolist() == pytest.approx([3 * 4 + 1.5, 5 * 4 + 1.5], abs=1e-4)
    assert decoded.isfinite().all()


def test_a_flat_map_is_read_at_the_pictures_centre():
    coords, _ = Heatmap(size=24).decode(torch.zeros(1, 2, 24, 24))
    torch.testing.assert_close(coords, torch.full((1, 2, 2), 47.5))


def test_coordinates_round_trip_exactly_and_have_no_sigma():
    coords, decoded = Coordinates().decode(Coordinates().encode(COORDS))
    assert torch.equal(coords, COORDS)
    assert decoded.isnan().all()


@pytest.mark.parametrize("codec", [Direct(), Heatmap(size=48), Coordinates(), SimCC(bins=96)])
def test_a_codec_is_restored_from_its_settings(codec: Codec):
    assert codec_from({"kind": codec.kind, **vars(codec)}) == codec
