"""One evaluation of style transfer, loss and gradient, in PyTorch: by the library, and plainly."""

from typing import TYPE_CHECKING, Any

from benchmarks.process import Work
from benchmarks.torch_side import Recipe, prepare

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SIZE = 256
CONTENT_LAYER = "block5_conv2"
STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT, STYLE, VARIATION, EXPONENT = 0.01, 1.0, 1e-4, 1.25


def evaluation(threads: int, recipe: Recipe | None) -> Work:
    """Set up an evaluation on a picture of 256x256, with random weights.

    Args:
        threads: To use.
        recipe: How the library does it; None: the study notes' way, which runs content, style and
            picture through VGG each time.
    """
    import torch

    order = prepare(threads, recipe)
    content, style, image = torch.rand(3, 1, 3, SIZE, SIZE).unbind()
    image = image.contiguous(memory_format=order).requires_grad_()
    evaluate: Any = _plain(content, style) if recipe is None else _ours(content, style)

    def step() -> "Tensor":
        return torch.autograd.grad(evaluate(image), image)[0]

    return Work(step, {"gradient": step().numel()})


def _ours(content: "Tensor", style: "Tensor") -> Any:
    from lit_restore.losses import StyleTransferLoss
    from lit_restore.models import VGGFeatures

    loss = StyleTransferLoss(VGGFeatures(19, CONTENT_LAYER), normalize="notes")
    loss.remember(content, [style])
    return lambda image: sum(loss(image).values())


def _plain(content: "Tensor", style: "Tensor") -> Any:
    import torch

    from lit_restore.models import VGGFeatures

    vgg = VGGFeatures(19, CONTENT_LAYER).requires_grad_(False)

    def evaluate(image: "Tensor") -> "Tensor":
        maps = vgg.maps(torch.cat([content, style, image]), [CONTENT_LAYER, *STYLE_LAYERS])
        base, _, made = maps[CONTENT_LAYER]
        pixels = image[0, 0].numel()
        loss = CONTENT * (made - base).square().sum()
        for name in STYLE_LAYERS:
            aim, found = (_gram(maps[name][index]) for index in (1, 2))
            loss = loss + STYLE / 5 * (aim - found).square().sum() / (36 * pixels**2)
        return loss + VARIATION * _variation(255 * image)

    return evaluate


def _gram(maps: "torch.Tensor") -> "torch.Tensor":
    flat = maps.flatten(1)
    return flat @ flat.T


def _variation(image: "Tensor") -> "Tensor":
    down = (image[..., :-1, :-1] - image[..., 1:, :-1]).square()
    right = (image[..., :-1, :-1] - image[..., :-1, 1:]).square()
    return (down + right).pow(EXPONENT).sum()
