import pytest
from brainscore_vision import load_model, score

UNTRAINED = "granularity_imagenet_untrained_s1"


@pytest.mark.slow
def test_score():
    actual = score(model_identifier=UNTRAINED, benchmark_identifier="World.IT-rsa", conda_active=True)
    assert actual == pytest.approx(0.085, abs=0.01)


@pytest.mark.parametrize("identifier", ["granularity_imagenet_clip_k8_s1", "granularity_imagenet_native_s3"])
def test_a_network_that_is_not_trained_yet_says_how(identifier):
    with pytest.raises(Exception, match=r"granularity train --recipe imagenet") as error:
        load_model(identifier)
    assert "\n" not in str(error.value)
