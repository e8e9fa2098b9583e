"""`Learner`: a network, its optimizer and its loss; one epoch at a time, and what must be kept so that it can go on.

One `fit` an epoch: nothing is carried from one to the next but weights, optimizer and history, which a state holds.
"""

import contextlib

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.models.internals import seed_generators
from kfashion_utils.output import say
from kfashion_utils.training.devices import compile_kernels, memory_blamed
from kfashion_utils.training.optimizer import build_optimizer, inner_optimizer


class Learner:
    """A model that learns.

    Args:
        model: with a layer `backbone` and the weights to start from; what of it may learn is trainable.
        loss: function (targets, answers) -> loss of each row.
        config: TrainConfig.
        network: what is trained, if it is not the model alone: the model behind layers that augment.
    """

    def __init__(self, model, loss, config, network=None):
        self.model, self.config, self.network = model, config, network or model
        variables = self.network.trainable_variables
        self.network.compile(build_optimizer(model, variables, config), loss, jit_compile=compile_kernels())
        self.network.optimizer.build(variables)
        self._built = False

    @property
    def optimizer(self):
        return self.network.optimizer

    def one_epoch(self, batches, epoch, history, progress):
        """Train for one epoch; returns {"epoch", "learning_rate", "loss"}.

        Args:
            batches: PyDataset of the epoch, with `order` (row numbers) and `padding` (rows of weight 0 at the end).
            epoch: 1, 2, …
            history: the epochs before.

        Raises:
            InputError: the loss is no longer a number; out of memory.
        """
        seeds = np.random.SeedSequence((self.config.seed, epoch)).generate_state(2)
        keras.utils.set_random_seed(int(seeds[0] % 2**31))
        _reset_generators(self.network, int(seeds[1]))
        running = self._fit(batches, epoch, history, progress)
        loss = _without_padding(running, batches, self.config.batch_size)
        middle = self.config.rate(epoch, history, 0.5)
        if not np.isfinite(loss):
            self._refuse_loss(loss, epoch, middle)
        return {"epoch": epoch, "learning_rate": middle, "loss": loss}

    def _fit(self, batches, epoch, history, progress):
        """One `fit`; returns the mean loss after each batch."""
        if progress and not self._built and compile_kernels():
            say("the training step is compiled first, which may take two minutes")
        self._build_loss(batches)
        running = []
        rate = _Rate(self.config, epoch, history, len(batches))
        bar = tqdm(total=len(batches), desc=f"epoch {epoch}", unit="batch", leave=False, disable=not progress)

        def note(batch, logs):
            bar.update()
            running.append(float(logs["loss"]))

        step = keras.callbacks.LambdaCallback(on_train_batch_end=note)
        callbacks = [rate, step, keras.callbacks.TerminateOnNaN()]
        with bar, memory_blamed(self.config.batch_size):
            self.network.fit(batches, epochs=1, verbose=0, callbacks=callbacks, shuffle=False)
        return running

    def _build_loss(self, batches):
        """Give Keras the loss of a batch before its first `fit`: it would take the first batch to build the loss from,
        and on JAX train on the others first."""
        if not self._built:
            pixels, targets = batches[0]
            answers = np.ones(self.model.compute_output_shape(pixels.shape), np.float32)
            self.network.compute_loss(y=targets, y_pred=answers)
            self._built = True

    def _refuse_loss(self, loss, epoch, rate):
        name = "fine_tune_rate" if self.config.pretrained else "learning_rate"
        half = self.model.get_layer("backbone").compute_dtype == "float16"
        raise InputError(
            f"the loss of epoch {epoch} is {loss}: the rate {rate:g} is too high; the last good epoch is kept. "
            f"Train with a lower {name} in another run folder" + ", or with precision='float32'" * half
        )

    # Weights ----------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def averaged(self):
        """Within the block the model holds the moving average of its weights (`ema`), if there is one yet."""
        if not self.config.ema or not int(np.asarray(self.optimizer.iterations)):
            yield
            return
        variables = self.network.trainable_variables
        held = [np.asarray(variable) for variable in variables]
        inner_optimizer(self.optimizer).put_average(variables)
        yield
        for variable, value in zip(variables, held, strict=True):
            variable.assign(value)

    @contextlib.contextmanager
    def blended(self, start, share):
        """Within the block the model holds weights on the straight line from those of the state `start` (0) to its own
        averaged ones (1)."""
        with self.averaged():
            end = self.model.get_weights()
            pairs = zip(_weights(start), end, strict=True)
            self.model.set_weights([one + share * (other - one) for one, other in pairs])
            yield
            self.model.set_weights(end)

    def state(self):
        """{name: array}: all weights and the optimizer."""
        arrays = {f"w{number}": value for number, value in enumerate(self.model.get_weights())}
        return arrays | {name: np.asarray(variable) for name, variable in self._optimizer_variables().items()}

    def restore(self, arrays):
        """Put a `state` back, also one that was made in another precision: a loss scale that it does not hold begins
        anew."""
        self.model.set_weights(_weights(arrays))
        for name, variable in self._optimizer_variables().items():
            if name in arrays or not name.startswith("s"):
                variable.assign(arrays[name])

    def _optimizer_variables(self):
        """{name in a `state`: variable}: `o0`, … of AdamW, `s0`, … of the loss scale that float16 needs."""
        inner = inner_optimizer(self.optimizer).variables
        ids = {id(variable) for variable in inner}
        scale = [variable for variable in self.optimizer.variables if id(variable) not in ids]
        named = {f"o{number}": variable for number, variable in enumerate(inner)}
        return named | {f"s{number}": variable for number, variable in enumerate(scale)}


def _weights(arrays):
    """The model's weights in a `state`."""
    count = sum(name.startswith("w") for name in arrays)
    return [arrays[f"w{number}"] for number in range(count)]


def _without_padding(running, batches, size):
    """The mean loss of an epoch over its rows, from the running means, in which rows that fill up the last batch for
    several devices count."""
    if not batches.padding or not np.isfinite(running[-1]):
        return running[-1]
    rows, padding = len(batches.order), batches.padding
    before = (len(running) - 1) * size  # rows of the batches before the last one
    total = running[-1] * (rows + padding)
    of_last = total - (running[-2] * before if before else 0.0)
    mean_of_last = of_last / (rows + padding - before)
    return (total - mean_of_last * padding) / rows


class _Rate(keras.callbacks.Callback):
    """The rate of each step, where it changes within an epoch."""

    def __init__(self, config, epoch, history, steps):
        super().__init__()
        self.config, self.epoch, self.past, self.steps = config, epoch, history, steps

    def on_train_begin(self, logs=None):
        self.model.optimizer.learning_rate = self.config.rate(self.epoch, self.past, 0.5)

    def on_train_batch_begin(self, batch, logs=None):
        if self.config.schedule == "cosine" or self.epoch <= np.ceil(self.config.warmup or 0):
            done = (batch + 0.5) / self.steps
            self.model.optimizer.learning_rate = self.config.rate(self.epoch, self.past, done)


def _reset_generators(network, seed):
    """Dropout and augmentation begin each epoch anew."""
    for number, generator in enumerate(seed_generators(network)):
        generator.state.assign(np.array([(seed + number) % 2**31, 0], generator.state.dtype))
