"""Epochs over the whole network, from the head that frozen features gave or from random weights.

One `fit` an epoch: nothing is carried from one to the next but weights, optimizer and history, which a checkpoint holds.
"""

import contextlib

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.training.batches import Epoch
from kfashion_utils.training.checkpoints import best_epoch
from kfashion_utils.training.devices import compile_kernels
from kfashion_utils.training.losses import recipe_loss

RANDAUGMENT = {"num_ops": 2, "factor": 0.4}  # Cubuk et al., RandAugment, CVPR workshops 2020


class FineTuning:
    """A model, its optimizer and its rows.

    Args:
        model: of `build_model`, with the weights to start from.
        task, config: the Task and the TrainConfig.
        labels: flat labels of the training rows, of `Task.encode`.
        epoch_options: what `Epoch` takes beside its number: pictures, targets, …
    """

    def __init__(self, model, task, config, labels, pictures, targets, **epoch_options):
        self.model, self.task, self.config = model, task, config
        self.pictures, self.targets, self.epoch_options = pictures, targets, epoch_options
        _freeze_below(model, config.unfreeze)
        self.network = _randomly_augmented(model) if config.augment == "randaugment" else model
        trainable = self.network.trainable_variables
        self.network.compile(
            _optimizer(model, trainable, config), recipe_loss(task, config, labels), jit_compile=compile_kernels()
        )
        self.network.optimizer.build(trainable)

    def one_epoch(self, epoch, history, progress):
        """Train for one epoch; returns {"epoch", "learning_rate", "loss"}.

        Raises:
            InputError: the loss is no longer a number; out of memory.
        """
        seeds = np.random.SeedSequence((self.config.seed, epoch)).generate_state(2)
        keras.utils.set_random_seed(int(seeds[0] % 2**31))
        _reset_generators(self.network, int(seeds[1]))
        batches = Epoch(self.pictures, self.targets, self.task, self.config, epoch, **self.epoch_options)
        rate = _Rate(self.config, epoch, history, len(batches))
        with tqdm(total=len(batches), desc=f"epoch {epoch}", unit="batch", leave=False, disable=not progress) as bar:
            running = []  # mean loss after each batch
            step = keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: (bar.update(), running.append(float(logs["loss"])))
            )
            with memory_blamed(self.config.batch_size):
                self.network.fit(
                    batches,
                    epochs=1,
                    verbose=0,
                    callbacks=[rate, step, keras.callbacks.TerminateOnNaN()],
                    shuffle=False,
                )
        loss = _without_padding(running, batches)
        middle = self.config.rate(epoch, history, 0.5)
        if not np.isfinite(loss):
            name = "learning_rate" if self.config.weights == "none" else "fine_tune_rate"
            half = (
                ", or with precision='float32'" if self.model.get_layer("backbone").compute_dtype == "float16" else ""
            )
            raise InputError(
                f"the loss of epoch {epoch} is {loss}: the rate {middle:g} is too high; the last good epoch is kept. Train with a lower {name} in another run folder{half}"
            )
        return {"epoch": epoch, "learning_rate": middle, "loss": loss}

    @contextlib.contextmanager
    def averaged(self):
        """Within the block the model holds the moving average of its weights (`ema`), if there is one yet."""
        if not self.config.ema or not int(np.asarray(self.network.optimizer.iterations)):
            yield
            return
        variables = self.network.trainable_variables
        held = [np.asarray(variable) for variable in variables]
        optimizer = self.network.optimizer
        getattr(optimizer, "inner_optimizer", optimizer).put_average(variables)
        yield
        for variable, value in zip(variables, held, strict=True):
            variable.assign(value)

    @contextlib.contextmanager
    def blended(self, start, share):
        """Within the block the model holds weights on the straight line from those of the state `start` (0) to its own averaged ones (1)."""
        with self.averaged():
            end = self.model.get_weights()
            self.model.set_weights(
                [one + share * (other - one) for one, other in zip(_weights(start), end, strict=True)]
            )
            yield
            self.model.set_weights(end)

    def state(self):
        """{name: array}: all weights and the optimizer."""
        arrays = {f"w{number}": value for number, value in enumerate(self.model.get_weights())}
        return arrays | {name: np.asarray(variable) for name, variable in self._optimizer_variables().items()}

    def restore(self, arrays):
        """Put a `state` back, also one that was made in another precision: a loss scale that it does not hold begins anew."""
        self.model.set_weights(_weights(arrays))
        for name, variable in self._optimizer_variables().items():
            if name in arrays or not name.startswith("s"):
                variable.assign(arrays[name])

    def _optimizer_variables(self):
        """{name in a `state`: variable}: `o0`, … of AdamW, `s0`, … of the loss scale that float16 needs."""
        optimizer = self.network.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer).variables
        ids = {id(variable) for variable in inner}
        scale = [variable for variable in optimizer.variables if id(variable) not in ids]
        return {f"o{number}": variable for number, variable in enumerate(inner)} | {
            f"s{number}": variable for number, variable in enumerate(scale)
        }


def _weights(arrays):
    """The model's weights in a `state`."""
    return [arrays[f"w{number}"] for number in range(sum(name.startswith("w") for name in arrays))]


def _without_padding(running, batches):
    """The mean loss of an epoch over its rows, from the running means, in which rows that fill up the last batch for several devices count."""
    rows, size = len(batches.order), batches.config.batch_size
    if not batches.padding or not np.isfinite(running[-1]):
        return running[-1]
    before = (len(running) - 1) * size
    last = (running[-1] * (rows + batches.padding) - (running[-2] * before if before else 0.0)) / (
        rows + batches.padding - before
    )
    return (running[-1] * (rows + batches.padding) - last * batches.padding) / rows


def is_over(config, history):
    """Whether training ends after these epochs: all are done, or `stop_after` of them brought no lower validation loss."""
    done = int(history[-1]["epoch"]) if history else 0
    stopped = config.stop_after and history and done - int(best_epoch(history)["epoch"]) >= config.stop_after
    return done >= config.fine_tune_epochs or bool(stopped)


class _Rate(keras.callbacks.Callback):
    """The rate of each step, where it changes within an epoch."""

    def __init__(self, config, epoch, history, steps):
        super().__init__()
        self.config, self.epoch, self.past, self.steps = config, epoch, history, steps

    def on_train_begin(self, logs=None):
        self.model.optimizer.learning_rate = self.config.rate(self.epoch, self.past, 0.5)

    def on_train_batch_begin(self, batch, logs=None):
        if self.config.schedule == "cosine" or self.epoch <= np.ceil(self.config.warmup or 0):
            self.model.optimizer.learning_rate = self.config.rate(self.epoch, self.past, (batch + 0.5) / self.steps)


class FactoredAdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov & Hutter, ICLR 2019) with a factor on each variable's step; it leaves the weights as they are when a `fit` ends."""

    def __init__(self, factors, **options):
        super().__init__(**options)
        self.factors = factors

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate * self.factors[self._get_variable_index(variable)])

    def finalize_variable_values(self, var_list):
        """Nothing: Keras would put the average in place of the weights after every `fit`, and there is one an epoch."""

    def put_average(self, variables):
        """Give variables their moving averages."""
        super().finalize_variable_values(variables)


def _optimizer(model, variables, config):
    base = {id(variable) for variable in model.get_layer("backbone").variables}
    factors = [1.0 if id(variable) in base else config.head_factor for variable in variables]
    average = {"use_ema": True, "ema_momentum": config.ema} if config.ema else {}
    optimizer = FactoredAdamW(factors, learning_rate=config.rate(1), weight_decay=config.weight_decay, **average)
    return (
        keras.optimizers.LossScaleOptimizer(optimizer)
        if model.get_layer("backbone").compute_dtype == "float16"
        else optimizer
    )


def _freeze_below(model, count):
    """Let only the last `count` of the backbone's layers learn, of those that may (batch norms of pretrained weights stay as they are); None = all, 0 = none."""
    if count is None:
        return
    layers = [
        layer
        for layer in model.get_layer("backbone")._flatten_layers()
        if layer.trainable_weights and len(list(layer._flatten_layers())) == 1
    ]
    for layer in layers[: max(0, len(layers) - count)]:
        layer.trainable = False


def _randomly_augmented(model):
    """The model behind RandAugment, which runs where the network runs: on a CPU it would starve it (TRAPS 11)."""
    image = keras.Input(model.input_shape[1:])
    return keras.Model(image, model(keras.layers.RandAugment(value_range=(0, 255), **RANDAUGMENT)(image)))


def _reset_generators(network, seed):
    """Dropout and augmentation begin each epoch anew."""
    generators = dict.fromkeys(
        generator for layer in network._flatten_layers() for generator in getattr(layer, "_seed_generators", [])
    )
    for number, generator in enumerate(generators):
        generator.state.assign(np.array([(seed + number) % 2**31, 0], generator.state.dtype))


@contextlib.contextmanager
def memory_blamed(batch_size):
    """Say out-of-memory errors in words, with the batch size to try."""
    try:
        yield
    except Exception as error:  # TensorFlow's ResourceExhaustedError and JAX's XlaRuntimeError have no base in common
        if (
            isinstance(error, MemoryError)
            or "RESOURCE_EXHAUSTED" in str(error)
            or type(error).__name__ == "ResourceExhaustedError"
        ):
            smaller = max(1, batch_size // 2)
            raise InputError(
                f"out of memory with batch_size={batch_size}; try batch_size={smaller} (and half of its rate) in another run folder, or smaller pictures"
            ) from error
        raise
