"""Styling one file: read, optimise from coarse to fine, write."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_restore.commands._batch import Job, Sizes
from lit_restore.commands._pictures import enough_memory
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from lit_restore.losses import StyleTransferLoss

ADAM_RATE = 0.02  # of unit range
LINES = 10


@dataclass(frozen=True)
class Settings:
    """What is asked for; named as the command's options are."""

    styles: Sequence[Path]
    style_weights: Sequence[float] | None
    size: int | None
    style_size: int | None
    init: str
    seed: int
    keep_colour: bool
    steps: int
    optimizer: str
    restart_every: int | None
    coarse_to_fine: int
    preview_every: int | None
    device: "torch.device"


@dataclass(frozen=True)
class FileStylist:
    """Gives one file the style of others.

    Attributes:
        loss: Gives the terms that are descended.
        settings: What is asked for.
        report: Is told of what is dropped, and of the terms.
    """

    loss: "StyleTransferLoss"
    settings: Settings
    report: Report

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Write the result of a job and return its size."""
        from lit_restore.data.images import write_image
        from lit_restore.data.resize import matlab_resize
        from lit_restore.data.style_transfer import initial_picture

        image: Tensor | None = None
        for content, styles in self._levels(job.source):
            if image is None:
                image = initial_picture(content, self.settings.init, self.settings.seed)
            size = (content.shape[-2], content.shape[-1])
            start = matlab_resize(image, size=size).clamp(0, 1)
            with enough_memory(content[0]):
                image = self._styled(content, styles, start, _preview(wanted[0]))
        if image is None:
            raise ValueError("there is no size to begin with")
        write_image(image[0], wanted[0])
        _preview(wanted[0]).unlink(missing_ok=True)
        return [(image.shape[-2], image.shape[-1])]

    def _levels(self, source: Path) -> "Iterator[tuple[Tensor, list[Tensor]]]":
        """Yield content and styles of each size, the smallest first."""
        from lit_restore.data.style_transfer import longer_side, with_side

        given = self.settings
        content, *styles = [self._read(path) for path in (source, *given.styles)]
        final = longer_side(content, given.size)
        self._check_smallest(content, final)
        for level in range(given.coarse_to_fine, -1, -1):
            side = max((given.style_size or final) >> level, 1)
            smaller = [with_side(style, side) for style in styles]
            yield with_side(content, max(final >> level, 1)), smaller

    def _check_smallest(self, content: "Tensor", final: int) -> None:
        sides = [side * final // max(content.shape[-2:]) for side in content.shape[-2:]]
        smallest = min(sides) >> self.settings.coarse_to_fine
        network: Any = self.loss.features.network
        least = network.least_side
        if smallest < least:
            raise ValueError(
                f"the shorter side would begin at {smallest} pixels, and VGG needs {least}: "
                "lower --coarse-to-fine, or raise --size"
            )

    def _read(self, path: Path) -> "Tensor":
        from lit_restore.data.images import read_header
        from lit_restore.data.style_transfer import read_unit

        if read_header(path).alpha:
            self.report.line(f"note: {path}: its transparency is left out")
        return read_unit(path)

    def _styled(
        self, content: "Tensor", styles: "list[Tensor]", start: "Tensor", preview: Path
    ) -> "Tensor":
        """Optimise a picture of one size; shapes (1, 3, H, W), in unit range."""
        from torch import nn

        from lit_restore.inference import Descent

        given = self.settings
        if given.keep_colour:
            seen, start = _grey(content), _grey(start)
            styles = [_as_bright(_grey(style), seen) for style in styles]
        else:
            seen = content
        self.loss.to(given.device)
        moved = [style.to(given.device) for style in styles]
        self.loss.remember(seen.to(given.device), moved, given.style_weights)
        image = nn.Parameter(start.to(given.device).contiguous())
        descent = Descent(image, self.loss, given.restart_every)
        optimizer = _optimizer(given.optimizer, image)
        size = f"{content.shape[-1]}x{content.shape[-2]}"
        self._tell(size, 0, descent.evaluate())
        for step in range(1, given.steps + 1):
            descent.step(optimizer)
            self._tell(size, step, descent.evaluate())
            if given.preview_every is not None and step % given.preview_every == 0:
                self._show(image, content, preview)
        return self._shown(image, content)

    def _shown(self, image: "Tensor", content: "Tensor") -> "Tensor":
        """Clip a picture to unit range, with the content's colours if they are to be kept."""
        from lit_restore.inference.luma import FULL, recoloured

        clipped = image.detach().cpu().clamp(0, 1)
        if not self.settings.keep_colour:
            return clipped
        return recoloured(FULL.of(clipped), content, FULL).clamp(0, 1)

    def _show(self, image: "Tensor", content: "Tensor", path: Path) -> None:
        from lit_restore.data.images import write_image

        write_image(self._shown(image, content)[0], path)

    def _tell(self, size: str, step: int, terms: "Mapping[str, Tensor]") -> None:
        """Say how large the terms are: at every step on a terminal, else now and then."""
        values = {name: float(term) for name, term in terms.items()}
        told = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())
        line = f"{size}, step {step}/{self.settings.steps}: {told}"
        if not all(map(math.isfinite, values.values())):
            raise ValueError(f"stopped, since a term is not finite; {line}")
        every = max(self.settings.steps // LINES, 1)
        if step % every == 0 or step == self.settings.steps:
            self.report.line(line)
        else:
            self.report.passing(line)


def _preview(output: Path) -> Path:
    return output.with_name(f"{output.stem}.preview.png")


def _optimizer(name: str, image: "nn.Parameter") -> "Optimizer":
    from torch.optim import Adam

    from lit_restore.inference.descent import lbfgs

    return lbfgs([image]) if name == "lbfgs" else Adam([image], lr=ADAM_RATE)


def _grey(image: "Tensor") -> "Tensor":
    """Take the colours away; three equal channels stay."""
    from lit_restore.inference.luma import full_luma

    return full_luma(image).expand(-1, 3, -1, -1).contiguous()


def _as_bright(style: "Tensor", content: "Tensor") -> "Tensor":
    """Give a grey style the content's mean and standard deviation.

    Source:
        Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016,
        https://arxiv.org/abs/1606.05897, equation 10.
    """
    spread = style.std().clamp(min=1e-6)
    return (style - style.mean()) * (content.std() / spread) + content.mean()
