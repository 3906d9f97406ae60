"""Networks of pix2pix, CycleGAN and DCGAN in PyTorch: as the library runs them, and plain ports."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.process import Step, Work
from benchmarks.torch_side import Recipe, prepare

if TYPE_CHECKING:
    from torch import Tensor, nn

Kind = Literal["unet", "resnet"]

SIZE, BLOCK_SIZE, BLOCKS = 256, 128, 6  # of the U-Net's pictures; of the ResNet's, and its blocks
NOISE_BATCH, NOISE_SIZE, LATENT = 32, 64, 100
L1_WEIGHT, CYCLE_WEIGHT, IDENTITY_WEIGHT = 100.0, 10.0, 5.0
RATE, BETA = 2e-4, 0.5
NOTES: Mapping[str, Any] = {
    "widths": (32, 64, 128, 256),
    "norm": "instance",
    "upsample": "nearest",
    "slope": 0.0,
    "dropout": 0.0,
    "edge_norms": True,
    "style": "keras",
}  # without the biases that the normalisation takes away


def generator_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up a training step of the notes' U-Net: mean absolute error, Adam.

    Args:
        threads: To use.
        recipe: How the library does it; None: a plain port.
    """
    from lit_restore.losses import L1Loss

    order = prepare(threads, recipe)
    source, target = _pictures(2, SIZE)
    model = generator("unet", recipe).to(memory_format=order)
    loss = L1Loss()
    optimizer = _adam(recipe)(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss(model(source.contiguous(memory_format=order)), target).backward()
        optimizer.step()

    return Work(step, sizes({"generator": model}, model(source)))


def inference(threads: int, recipe: Recipe | None, kind: Kind) -> Work:
    """Set up the translation of a picture.

    Args:
        threads: To use.
        recipe: As above.
        kind: Of the generator.
    """
    import torch

    order = prepare(threads, recipe)
    (source,) = _pictures(1, SIZE)
    model = generator(kind, recipe).to(memory_format=order).eval()

    @torch.inference_mode()
    def step() -> Any:
        return model(source.contiguous(memory_format=order))

    return Work(step, sizes({"generator": model}, step()))


def pix2pix_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up the whole step of pix2pix with the notes' U-Net; arguments as above."""
    from benchmarks import gan_plain_steps

    prepare(threads, recipe)
    source, target = _pictures(2, SIZE)
    networks = generator("unet", recipe), _discriminator(recipe, 3)
    size = sizes(dict(zip("gd", networks, strict=True)), networks[0](source))
    if recipe is None:
        return Work(gan_plain_steps.pix2pix_step(*networks, source, target), size)
    from lit_restore.tasks import Pix2PixTask

    task = Pix2PixTask(*networks, l1_weight=L1_WEIGHT, **_options(recipe))
    return Work(by_turns(task, {"input": source, "target": target}), size)


def cyclegan_training(threads: int, recipe: Recipe | None, kind: Kind) -> Work:
    """Set up the whole step of CycleGAN with its identity terms.

    Args:
        threads: To use.
        recipe: As above.
        kind: Of the generators.
    """
    from benchmarks import gan_plain_steps

    prepare(threads, recipe)
    a, b = _pictures(2, SIZE if kind == "unet" else BLOCK_SIZE)
    generators = generator(kind, recipe), generator(kind, recipe)
    networks = *generators, _discriminator(recipe), _discriminator(recipe)
    size = sizes(dict(zip("1234", networks, strict=True)), networks[0](a))
    if recipe is None:
        return Work(gan_plain_steps.cyclegan_step(networks, a, b), size)
    from lit_restore.tasks import CycleGANTask

    task = CycleGANTask(
        *networks,
        cycle_weight=CYCLE_WEIGHT,
        identity_weight=IDENTITY_WEIGHT,
        pool_size=0,
        **_options(recipe),
    )
    return Work(by_turns(task, {"a": a, "b": b}), size)


def dcgan_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up the whole step of DCGAN; arguments as above."""
    import torch

    from benchmarks import gan_plain, gan_plain_steps
    from lit_restore.models import DCGANDiscriminator, DCGANGenerator

    prepare(threads, recipe)
    real = torch.rand(NOISE_BATCH, 3, NOISE_SIZE, NOISE_SIZE)
    latent = torch.randn(NOISE_BATCH, LATENT)
    plain = gan_plain.dcgan_generator(LATENT), gan_plain.dcgan_discriminator()
    ours = DCGANGenerator(LATENT, style="keras"), DCGANDiscriminator(style="keras")
    networks: tuple[nn.Module, nn.Module] = plain if recipe is None else ours
    size = sizes(dict(zip("gd", networks, strict=True)), networks[0](latent))
    if recipe is None:
        return Work(gan_plain_steps.dcgan_step(*networks, real, LATENT), size)
    from lit_restore.tasks import DCGANTask

    task = DCGANTask(*networks, **_options(recipe))
    return Work(by_turns(task, {"target": real}), size)


def by_turns(task: Any, batch: "Mapping[str, Tensor]") -> Step:
    """Take a task's own step, all of it but the Trainer's loop and its checks.

    Args:
        task: A task of adversarial networks.
        batch: As the task reads it.
    """
    optimizers = task.configure_optimizers()

    def step() -> None:
        for turn in task.turns(batch):
            sum(turn.terms.values()).backward()
            optimizers[turn.optimizer].step()
            optimizers[turn.optimizer].zero_grad()

    return step


def sizes(networks: "Mapping[str, nn.Module]", output: "Tensor") -> dict[str, int]:
    """Count the networks' kernels, and the numbers that come out.

    Biases are not counted, since some are dead: a normalisation takes them away again.

    Args:
        networks: By name.
        output: Of the first.
    """
    counts = {
        name: sum(one.numel() for one in network.parameters() if one.ndim == 4)
        for name, network in networks.items()
    }
    return counts | {"output": output.numel()}


def generator(kind: Kind, recipe: Recipe | None) -> "nn.Module":
    """Build the notes' U-Net or CycleGAN's ResNet; by a plain port without a recipe."""
    from benchmarks import gan_plain
    from lit_restore.models import ResNetGenerator, UNetGenerator

    if recipe is None:
        return gan_plain.unet() if kind == "unet" else gan_plain.resnet(BLOCKS)
    if kind == "unet":
        return UNetGenerator(**NOTES, folded=recipe.folded)
    return ResNetGenerator(blocks=BLOCKS, padding="same", style="keras")


def _discriminator(recipe: Recipe | None, condition_channels: int = 0) -> "nn.Module":
    from benchmarks import gan_plain
    from lit_restore.models import PatchDiscriminator

    if recipe is None:
        return gan_plain.patch_discriminator(3 + condition_channels)
    return PatchDiscriminator(condition_channels=condition_channels, style="keras")


def _options(recipe: Recipe) -> dict[str, Any]:
    """Give the arguments that every task has."""
    adam = _adam(recipe)
    return {"g_optimizer": adam, "d_optimizer": adam, "channels_last": recipe.channels_last}


def _adam(recipe: Recipe | None) -> Any:
    import torch

    fused = True if recipe and recipe.fused else None
    return partial(torch.optim.Adam, lr=RATE, betas=(BETA, 0.999), fused=fused)


def _pictures(count: int, size: int) -> "tuple[Tensor, ...]":
    import torch

    return torch.rand(count, 1, 3, size, size).unbind()
