"""Values known for the 92 object images of Kriegeskorte et al. (2008), to three decimals."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.spatial.distance import squareform

from brainscore_granularity import rsa, stats

FOLDER = (
    Path(os.environ.get("BRAINSCORE_GRANULARITY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    / "kriegeskorte92"
)

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"no data at {FOLDER}; set BRAINSCORE_GRANULARITY_TEST_DATA to the folder above it",
)


@pytest.fixture(scope="module")
def data():
    """RDMs (92, 92) by name, subjects' RDMs (subjects, 92, 92), images (92, 175, 175, 3)."""
    main = loadmat(FOLDER / "Kriegeskorte_Neuron2008_supplementalData.mat")
    fig1 = main["RDMs_mIT_hIT_fig1"][0]
    sessions = loadmat(FOLDER / "92_brainRDMs.mat")["RDMs"][0]
    behaviour = loadmat(FOLDER / "92_behavRDMs.mat")["rdms_behav_92"][0]
    models = loadmat(FOLDER / "92_modelRDMs.mat")["Models"][0]
    out = {
        "mIT": squareform(fig1[0]["RDM"].ravel().astype(float), checks=False),
        "hIT": squareform(fig1[1]["RDM"].ravel().astype(float), checks=False),
        "sessions": np.array([[s["RDM"] for s in subject] for subject in sessions], dtype=float),
        "subjects": np.array([np.mean([s["RDM"] for s in subject], axis=0) for subject in sessions], dtype=float),
        "judges": np.array([s["RDM"] for s in behaviour], dtype=float),
        "animacy": next(m["RDM"] for m in models if str(m["name"].item()) == "animacy").astype(float),
        "images": np.stack([s["image"] for s in main["stimuli_92objs"][0]]),
    }
    out["judgment"] = out["judges"].mean(axis=0)
    return out


def test_macaque_and_human_it(data):
    assert rsa.compare(data["mIT"], data["hIT"]) == pytest.approx(0.439, abs=5e-4)


def test_human_it_is_the_mean_of_its_subjects(data):
    np.testing.assert_allclose(rsa.upper(data["subjects"].mean(axis=0)), rsa.upper(data["hIT"]), atol=1e-6)


def test_noise_ceilings(data):
    np.testing.assert_allclose(stats.noise_ceiling(data["subjects"]), [0.379, 0.661], atol=5e-4)
    np.testing.assert_allclose(stats.noise_ceiling(data["judges"]), [0.478, 0.575], atol=5e-4)


@pytest.mark.parametrize(("target", "value"), [("mIT", 0.453), ("hIT", 0.588), ("judgment", 0.588)])
def test_animacy(data, target, value):
    assert rsa.compare(data["animacy"], data[target]) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(("target", "value"), [("mIT", 0.145), ("hIT", 0.106), ("judgment", 0.107)])
def test_pixels(data, target, value):
    assert rsa.compare(rsa.rdm(data["images"]), data[target]) == pytest.approx(value, abs=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "value"), [("mIT", 0.212), ("hIT", 0.124)])
def test_untrained_alexnet(data, target, value):
    torch, torchvision = pytest.importorskip("torch"), pytest.importorskip("torchvision")
    from brainscore_granularity.rsa.spool import layer_rdms

    torch.manual_seed(0)
    model = torchvision.models.alexnet(weights=None).eval()
    transform = torchvision.transforms.Compose(
        [
            torchvision.transforms.ToPILImage(),
            torchvision.transforms.Resize((224, 224)),
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    batch = torch.stack([transform(image) for image in data["images"]])
    layer = layer_rdms(model, batch.split(46), layers=["features.11"])["features.11"]  # last convolution after ReLU
    assert rsa.compare(layer, data[target]) == pytest.approx(value, abs=5e-4)


def test_score_is_between_its_interval_and_significant(data):
    score = rsa.compare(data["mIT"], data["hIT"])
    low, high = stats.interval(stats.bootstrap(data["mIT"], data["hIT"], 500, fraction=None))
    assert low < score < high
    assert stats.permutation_test(data["mIT"], data["hIT"], n=999) == 1 / 1000


def test_bootstrap_of_real_data_is_exact(data):
    """Behaviour has ties by the hundred."""
    from scipy.stats import spearmanr

    a, b = data["judges"][0], data["animacy"]
    for count, score in zip(stats.resamples(92, 5), stats.bootstrap(a, b, 5), strict=True):
        keep = np.flatnonzero(count)
        expected = spearmanr(rsa.upper(a[np.ix_(keep, keep)]), rsa.upper(b[np.ix_(keep, keep)]))[0]
        assert score == pytest.approx(expected, abs=1e-12)


def test_animacy_survives_the_control_for_pixels(data):
    partial = rsa.compare(data["animacy"], data["hIT"], control=rsa.rdm(data["images"]))
    assert 0.5 < partial < rsa.compare(data["animacy"], data["hIT"]) + 0.02
