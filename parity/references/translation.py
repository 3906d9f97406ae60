"""Training steps of pix2pix, CycleGAN and DCGAN, whose discriminators really train.

The notes compile a discriminator, freeze it, and then train it: in Keras 3 it stays as it was. Here
every optimizer is given its variables, and the discriminator's are no part of the generator's.
"""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from parity.references._common import Tensors
from parity.references.networks import build

Options = dict[str, Any]
Loss = Callable[[], Any]


def pix2pix(
    t: Tensors,
    generator: Options,
    discriminator: Options,
    criterion: str,
    pixel: float,
    share: float,
    steps: int,
) -> Tensors:
    """Train on one batch: the discriminator, then the generator by what it has become.

    Args:
        t: ``input`` and ``target`` in unit range, and ``NETWORK.layer/variable`` of both networks.
        generator: Its ``model``, as ``networks.forward`` has it, and that function's arguments.
        discriminator: Likewise; it is given the target, or what was made of the input, beside the
            input.
        criterion: Of its scores: ``"bce"``, of logits, or ``"mse"``.
        pixel: Weight of the mean absolute error.
        share: Weight of each of the discriminator's two terms.
        steps: How many steps.

    Returns:
        ``output``, both losses before their steps, the discriminator's first, shape (steps, 2), and
        every variable of both networks afterwards.
    """
    image, target = _signed(t["input"]), _signed(t["target"])
    networks = {
        "generator": _given(t, "generator", image, generator),
        "discriminator": _given(t, "discriminator", target, discriminator),
    }
    make, judge = networks.values()
    scored = _criterion(criterion)
    absolute = keras.losses.MeanAbsoluteError()
    steppers = {role: _Stepper([network]) for role, network in networks.items()}

    def step() -> Any:
        with tf.GradientTape() as generating:
            fake = make(image, training=True)
            with tf.GradientTape() as judging:
                on_real = scored(judge([target, image], training=True), 1.0)
                on_fake = scored(judge([tf.stop_gradient(fake), image], training=True), 0.0)
                told = share * on_real + share * on_fake
            steppers["discriminator"](judging, told)
            wins = scored(judge([fake, image], training=True), 1.0)
            wins += pixel * absolute(target, fake)
        steppers["generator"](generating, wins)
        return tf.stack([told, wins])

    return {"output": tf.stack([step() for _ in range(steps)]), **_after(t, networks)}


def dcgan(
    t: Tensors,
    generator: Options,
    discriminator: Options,
    criterion: str,
    share: float,
    steps: int,
) -> Tensors:
    """Train on one batch of latents and pictures: the discriminator, then the generator.

    Args:
        t: ``target`` in unit range, ``latent``, and ``NETWORK.layer/variable`` of both networks.
        generator: As above.
        discriminator: As above, of pictures alone.
        criterion: As above.
        share: As above.
        steps: How many steps.

    Returns:
        As above.
    """
    target = _signed(t["target"])
    networks = {
        "generator": _given(t, "generator", t["latent"], generator),
        "discriminator": _given(t, "discriminator", target, discriminator),
    }
    make, judge = networks.values()
    scored = _criterion(criterion)
    steppers = {role: _Stepper([network]) for role, network in networks.items()}

    def step() -> Any:
        with tf.GradientTape() as generating:
            fake = make(t["latent"], training=True)
            with tf.GradientTape() as judging:
                told = share * scored(judge(target, training=True), 1.0)
                told += share * scored(judge(tf.stop_gradient(fake), training=True), 0.0)
            steppers["discriminator"](judging, told)
            wins = scored(judge(fake, training=True), 1.0)
        steppers["generator"](generating, wins)
        return tf.stack([told, wins])

    return {"output": tf.stack([step() for _ in range(steps)]), **_after(t, networks)}


def cyclegan(
    t: Tensors,
    generator: Options,
    discriminator: Options,
    update: str,
    weights: tuple[float, float, float],
    share: float,
    steps: int,
) -> Tensors:
    """Train four networks on one batch as the notes do, all losses squared or absolute errors.

    Args:
        t: ``a`` and ``b`` in unit range, and ``NETWORK.layer/variable`` of ``g_ab``, ``g_ba``,
            ``d_a`` and ``d_b``.
        generator: As above, of both.
        discriminator: As above, of both, and of pictures alone.
        update: ``"apart"``: a step on real pictures, then one on fakes, as the notes' two calls of
            ``train_on_batch``; ``"together"``: one on the sum of both losses.
        weights: Of validity, reconstruction and identity.
        share: As above.
        steps: How many steps.

    Returns:
        ``output``, the losses before their steps, those of the discriminators, then that of the
        generators, and every variable of all networks afterwards.
    """
    a, b = _signed(t["a"]), _signed(t["b"])
    networks = {
        role: _given(t, role, a, generator if role[0] == "g" else discriminator)
        for role in ("g_ab", "g_ba", "d_a", "d_b")
    }
    g_ab, g_ba, d_a, d_b = networks.values()
    squares, absolute = _criterion("mse"), keras.losses.MeanAbsoluteError()
    generating = _Stepper([g_ab, g_ba])
    judging = [_Stepper([d_a]), _Stepper([d_b])]

    def judge(fakes: list[Any]) -> list[Any]:
        """Step both discriminators; the sum of both losses for each time that they step."""
        pairs = list(zip((d_a, d_b), judging, (a, b), fakes, strict=True))
        if update == "together":
            return [sum(_judged(*pair, share) for pair in pairs)]
        told = [sum(_judged(*pair[:3], None, share) for pair in pairs)]
        return [*told, sum(_judged(*pair[:2], None, pair[3], share) for pair in pairs)]

    def generate() -> Any:
        validity, reconstruction, identity = weights
        with tf.GradientTape() as tape:
            fake_a, fake_b = g_ba(b, training=True), g_ab(a, training=True)
            total = 0.0
            for score in (d_a(fake_a, training=True), d_b(fake_b, training=True)):
                total += validity * squares(score, 1.0)
            for real, again in ((a, g_ba(fake_b, training=True)), (b, g_ab(fake_a, training=True))):
                total += reconstruction * absolute(real, again)
            for real, same in ((a, g_ba(a, training=True)), (b, g_ab(b, training=True))):
                total += identity * absolute(real, same)
        generating(tape, total)
        return total

    def step() -> Any:
        fakes = [g_ba(b, training=False), g_ab(a, training=False)]
        return tf.stack([*judge(fakes), generate()])

    return {"output": tf.stack([step() for _ in range(steps)]), **_after(t, networks)}


def _judged(network: keras.Model, stepper: "_Stepper", real: Any, fake: Any, share: float) -> Any:
    """Step a discriminator on the squared errors of what it is given; returns their sum."""
    squares = _criterion("mse")
    with tf.GradientTape() as tape:
        costs = [
            share * squares(network(image, training=True), wanted)
            for image, wanted in ((real, 1.0), (fake, 0.0))
            if image is not None
        ]
        loss = tf.add_n(costs)
    stepper(tape, loss)
    return loss


class _Stepper:
    """Adam as the notes set it, for the variables of some networks and no others."""

    def __init__(self, networks: Iterable[keras.Model]) -> None:
        self.variables = [one for network in networks for one in network.trainable_variables]
        self.adam = keras.optimizers.Adam(2e-4, beta_1=0.5)

    def __call__(self, tape: tf.GradientTape, loss: Any) -> None:
        """Take a step down a loss that the tape has seen."""
        self.adam.apply(tape.gradient(loss, self.variables), self.variables)


def _signed(image: Any) -> Any:
    return 2 * image - 1


def _criterion(name: str) -> Callable[[Any, float], Any]:
    """Make the mean cost of scores that should be 1, or 0."""
    if name == "mse":
        loss = keras.losses.MeanSquaredError()
    else:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)

    def cost(scores: Any, wanted: float) -> Any:
        return loss(tf.fill(tf.shape(scores), tf.cast(wanted, scores.dtype)), scores)

    return cost


def _given(t: Tensors, role: str, image: Any, options: Options) -> keras.Model:
    """Build a network for such an image, with the variables of its role."""
    network = build(tuple(image.shape[1:]), **options)
    for variable in network.variables:
        variable.assign(tf.reshape(t[f"{role}.{variable.path}"], variable.shape))
    return network


def _after(t: Tensors, networks: dict[str, keras.Model]) -> Tensors:
    return {
        f"after {role}.{variable.path}": tf.reshape(
            variable.value, t[f"{role}.{variable.path}"].shape
        )
        for role, network in networks.items()
        for variable in network.variables
    }
