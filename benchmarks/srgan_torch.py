"""SRGAN in PyTorch: its networks and its step, as the library runs them and as plain ports do."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.process import Work
from benchmarks.torch_side import Recipe, count_parameters, prepare

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH, PAPER_BATCH, LOW, SCALE, TILE = 8, 16, 24, 4, 160
NOTES_DEPTH, PAPER_DEPTH = 5, 16


def generator_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up a training step of the notes' generator: mean squared error, Adam.

    Args:
        threads: To use.
        recipe: How the library does it; None: a plain port.
    """
    return _training(threads, recipe, NOTES_DEPTH, BATCH)


def resnet_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up a training step of the paper's SRResNet; arguments as above."""
    return _training(threads, recipe, PAPER_DEPTH, PAPER_BATCH)


def inference(threads: int, recipe: Recipe | None) -> Work:
    """Set up the enlargement of a tile by the notes' generator; arguments as above."""
    import torch

    order = prepare(threads, recipe)
    model = _generator(recipe, NOTES_DEPTH).to(memory_format=order).eval()
    source = torch.rand(1, 3, TILE, TILE)

    @torch.inference_mode()
    def step() -> Any:
        return model(source.contiguous(memory_format=order))

    return Work(step, {"generator": count_parameters(model), "output": step().numel()})


def gan_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up SRGAN's whole step with VGG19; arguments as above."""
    from benchmarks import srgan_plain

    prepare(threads, recipe)
    source, target = _pictures(BATCH)
    if recipe is not None:
        return _by_the_task(recipe, {"input": source, "target": target})
    networks = _generator(None, NOTES_DEPTH), srgan_plain.discriminator()
    vgg = srgan_plain.vgg19()
    return Work(
        srgan_plain.gan_step(networks, vgg, source, target),
        _gan_size(*networks, vgg, source),
    )


def _by_the_task(recipe: Recipe, batch: "dict[str, Tensor]") -> Work:
    """Take the task's own step, all of it but the Trainer's loop and the log."""
    import torch
    from lightning.pytorch import Trainer

    from lit_restore.losses import PerceptualLoss
    from lit_restore.models import SRDiscriminator
    from lit_restore.optim import KerasAdam
    from lit_restore.tasks import SuperResolutionGANTask

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)  # it advertises
    adam = partial(KerasAdam, fused=recipe.fused)
    perceptual = PerceptualLoss(weights="random", inputs="caffe-unscaled")
    task = SuperResolutionGANTask(
        _generator(recipe, NOTES_DEPTH),
        SRDiscriminator(slope=0.3, style="keras"),
        perceptual,
        ranges="mixed",
        g_optimizer=adam,
        d_optimizer=adam,
        channels_last=recipe.channels_last,
    )
    task.trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    task.trainer.strategy.connect(task)
    optimizers: list[torch.optim.Optimizer] = task.configure_optimizers()

    def step() -> None:
        terms, total = task.losses(batch)
        task.descend(batch, terms, total, lambda: task.losses(batch)[1], optimizers)

    vgg = perceptual.features.network
    return Work(step, _gan_size(task.generator, task.discriminator, vgg, batch["input"]))


def _training(threads: int, recipe: Recipe | None, depth: int, count: int) -> Work:
    import torch

    from lit_restore.losses import L2Loss

    order = prepare(threads, recipe)
    source, target = _pictures(count)
    model = _generator(recipe, depth).to(memory_format=order)
    loss = L2Loss() if recipe else torch.nn.MSELoss()
    fused = True if recipe and recipe.fused else None
    optimizer = torch.optim.Adam(model.parameters(), fused=fused)

    def step() -> None:
        optimizer.zero_grad()
        loss(model(source.contiguous(memory_format=order)), target).backward()
        optimizer.step()

    with torch.no_grad():
        output = model(source).numel()
    return Work(step, {"generator": count_parameters(model), "output": output})


def _generator(recipe: Recipe | None, depth: int) -> "nn.Module":
    """Build the generator; of 5 blocks as the notes do, else as the paper does."""
    from benchmarks import srgan_plain
    from lit_restore.models import SRResNet

    notes = depth == NOTES_DEPTH
    if recipe is None:
        return srgan_plain.generator(depth, bounded=notes)
    if notes:
        options: Any = {"output": "tanh", "style": "keras", "order": "tensorflow"}
        return SRResNet(depth=depth, folded=recipe.folded, **options)
    return SRResNet(depth=depth, folded=recipe.folded)


def _pictures(count: int) -> "tuple[Tensor, Tensor]":
    import torch

    return torch.rand(count, 3, LOW, LOW), torch.rand(count, 3, LOW * SCALE, LOW * SCALE)


def _gan_size(
    generator: "nn.Module", discriminator: "nn.Module", vgg: "nn.Module", source: "Tensor"
) -> dict[str, int]:
    """Tell how large the networks and their results are."""
    import torch

    with torch.no_grad():
        fake = generator(source)
        scores, maps = discriminator(fake), vgg(fake)
    networks = {"generator": generator, "discriminator": discriminator, "vgg": vgg}
    outputs = {"fake": fake, "scores": scores, "maps": maps}
    counts = {name: count_parameters(network) for name, network in networks.items()}
    return counts | {name: output.numel() for name, output in outputs.items()}
