"""Steps of pix2pix, CycleGAN and DCGAN as plain ports write them: the reference of speed figures.

Maps, Adam and allocator are left as they are.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.gan_torch import BETA, CYCLE_WEIGHT, IDENTITY_WEIGHT, L1_WEIGHT, RATE
from benchmarks.process import Step


def pix2pix_step(
    generator: nn.Module, discriminator: nn.Module, source: Tensor, target: Tensor
) -> Step:
    """Set up pix2pix's step: the discriminator's, then the generator's by what came of it.

    Args:
        generator: Reads and makes signed range.
        discriminator: Reads source and picture, joined.
        source: Shape (N, 3, H, W), in unit range.
        target: The same shape.
    """
    g_optimizer, d_optimizer = _adam(generator), _adam(discriminator)
    entropy = nn.BCEWithLogitsLoss()

    def scores(image: Tensor, truth: float) -> Tensor:
        logits = discriminator(torch.cat([_signed(source), image], dim=1))
        return entropy(logits, torch.full_like(logits, truth))

    def step() -> None:
        fake = generator(_signed(source))
        d_optimizer.zero_grad()
        d_loss = 0.5 * (scores(_signed(target), 1.0) + scores(fake.detach(), 0.0))
        torch.autograd.backward(d_loss)
        d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss = scores(fake, 1.0) + L1_WEIGHT * F.l1_loss(fake, _signed(target))
        torch.autograd.backward(g_loss)
        g_optimizer.step()

    return step


def cyclegan_step(
    networks: tuple[nn.Module, nn.Module, nn.Module, nn.Module], a: Tensor, b: Tensor
) -> Step:
    """Set up CycleGAN's step: the discriminators', then the generators' by what came of it.

    Args:
        networks: From a to b, from b to a, discriminators of a and of b.
        a: Shape (N, 3, H, W), in unit range.
        b: The same shape.
    """
    g_ab, g_ba, d_a, d_b = networks
    g_optimizer, d_optimizer = _adam(g_ab, g_ba), _adam(d_a, d_b)

    def scores(judge: nn.Module, image: Tensor, truth: float) -> Tensor:
        logits = judge(image)
        return F.mse_loss(logits, torch.full_like(logits, truth))

    def step() -> None:
        real_a, real_b = _signed(a), _signed(b)
        fake_a, fake_b = g_ba(real_b), g_ab(real_a)
        d_optimizer.zero_grad()
        d_loss = scores(d_a, real_a, 1.0) + scores(d_a, fake_a.detach(), 0.0)
        d_loss = d_loss + scores(d_b, real_b, 1.0) + scores(d_b, fake_b.detach(), 0.0)
        d_loss = 0.5 * d_loss
        torch.autograd.backward(d_loss)
        d_optimizer.step()
        g_optimizer.zero_grad()
        cycle = F.l1_loss(g_ba(fake_b), real_a) + F.l1_loss(g_ab(fake_a), real_b)
        identity = F.l1_loss(g_ba(real_a), real_a) + F.l1_loss(g_ab(real_b), real_b)
        g_loss = scores(d_a, fake_a, 1.0) + scores(d_b, fake_b, 1.0)
        g_loss = g_loss + CYCLE_WEIGHT * cycle + IDENTITY_WEIGHT * identity
        torch.autograd.backward(g_loss)
        g_optimizer.step()

    return step


def dcgan_step(generator: nn.Module, discriminator: nn.Module, real: Tensor, size: int) -> Step:
    """Set up DCGAN's step: the discriminator's, then the generator's by what came of it.

    Args:
        generator: Reads noise of shape (N, size), makes signed range.
        discriminator: Of its pictures.
        real: Shape (N, 3, H, W), in unit range.
        size: Numbers of noise for each picture.
    """
    g_optimizer, d_optimizer = _adam(generator), _adam(discriminator)
    entropy = nn.BCEWithLogitsLoss()

    def scores(image: Tensor, truth: float) -> Tensor:
        logits = discriminator(image)
        return entropy(logits, torch.full_like(logits, truth))

    def step() -> None:
        fake = generator(torch.randn(len(real), size))
        d_optimizer.zero_grad()
        d_loss = scores(_signed(real), 1.0) + scores(fake.detach(), 0.0)
        torch.autograd.backward(d_loss)
        d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss = scores(fake, 1.0)
        torch.autograd.backward(g_loss)
        g_optimizer.step()

    return step


def _signed(image: Tensor) -> Tensor:
    return 2 * image - 1


def _adam(*networks: nn.Module) -> torch.optim.Optimizer:
    parameters = [one for network in networks for one in network.parameters()]
    return torch.optim.Adam(parameters, lr=RATE, betas=(BETA, 0.999))
