"""Tests of parity.cases.style_transfer; and the notes' loss with VGG's published weights.

The weights are not in the repository: the test reads the folder that LIT_RESTORE_DATA names.
"""

import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lit_restore.interop import load_vgg
from lit_restore.models import VGGFeatures
from parity.case import Case, compute
from parity.cases.style_transfer import CASES, notes, transfer
from parity.judge import judge
from parity.live import KerasWorker
from parity.network import from_state

LOSS, DESCENT = CASES


def test_every_term_moves_the_picture() -> None:
    """Else one of them could be wrong, and the gradient would not tell."""
    whole = compute(LOSS, LOSS.ours, "float64")
    assert whole["output"].item() == pytest.approx(
        sum(one.item() for name, one in whole.items() if name.endswith("term"))
    )
    terms = [one.item() for name, one in whole.items() if name.endswith("term")]
    assert min(terms) > 0.01 * max(terms)


def test_the_descent_goes_down_and_the_evaluations_are_counted() -> None:
    found = compute(DESCENT, DESCENT.ours, "float64")
    losses = found["output"]
    assert losses.shape == (10,)
    assert losses.min() < losses[0]
    assert found["evaluations"].item() >= 20
    assert found["after image"].shape == (1, 35, 50, 3)


class Published(Case):
    """The notes' loss on VGG16, whose published weights take the place of drawn ones."""

    def arrays(self, dtype: str) -> dict[str, Any]:
        state = vgg16().state_dict()
        names = [f"{name.rpartition('.')[0]}/kernel" for name in state if "weight" in name]
        names += [name.replace("kernel", "bias") for name in names]
        weights = from_state(state, dict.fromkeys(names))
        arrays = {name: one.numpy().astype(dtype) for name, one in weights.items()}
        return super().arrays(dtype) | arrays


def vgg16() -> VGGFeatures:
    path = Path(os.environ["LIT_RESTORE_DATA"], "vgg16", "vgg16_imagenet_notop_keras.h5")
    return load_vgg(path, 16, "block5_conv2")


def with_weights(content: float, style: float, total_variation: float) -> Any:
    given = {"content_weight": content, "style_weight": style}
    loss = partial(notes, **given, total_variation_weight=total_variation)
    return partial(transfer, loss=loss, network=partial(VGGFeatures, 16, "block5_conv2"))


@pytest.mark.skipif("LIT_RESTORE_DATA" not in os.environ, reason="LIT_RESTORE_DATA is not set")
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
@pytest.mark.parametrize("weights", [(0.01, 1.0, 1e-4), (1e3, 1e-3, 1.0)])
def test_the_published_weights_give_what_they_give_in_keras(
    weights: tuple[float, float, float],
) -> None:
    """The notes' own weights, and others by which content and roughness count as well."""
    settings = {"depth": 16, "widths": [64, 128, 256, 512, 512], "weights": list(weights)}
    case = Published(
        name="loss/style_transfer/published",
        inputs={name: one for name, one in LOSS.inputs.items() if "/" not in name},
        ours=with_weights(*weights),
        reference=LOSS.reference,
        settings={**(LOSS.settings or {}), **settings},
        wrong={"another weight": with_weights(2 * weights[0], *weights[1:])},
        terms=9 * 512,
        depth=2 * 12,
    )
    with KerasWorker() as keras:
        results = list(judge(case, keras.reference(case)))
    assert [one.passed for one in results] == [True] * 4, results
