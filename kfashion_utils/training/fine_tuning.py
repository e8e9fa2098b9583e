"""Epochs over the whole network of a classification, from the classifier that frozen features gave or from random
weights: what learns, how its pictures are changed, and by what it is judged. The epochs themselves are `Loop`'s."""

import keras

from kfashion_utils.errors import InputError
from kfashion_utils.models.internals import all_layers, is_leaf
from kfashion_utils.training.answer import look_at, mean_answers
from kfashion_utils.training.batches import Epoch
from kfashion_utils.training.devices import keep_compiled, one_shape
from kfashion_utils.training.frozen import fit_frozen
from kfashion_utils.training.learner import Learner
from kfashion_utils.training.loop import Loop
from kfashion_utils.training.losses import balanced_targets, drawing_chances, mean_loss, recipe_loss
from kfashion_utils.training.pictures import pictures_by_row

RANDAUGMENT = {"num_ops": 2, "factor": 0.4}  # Cubuk et al., RandAugment, CVPR workshops 2020
LOOKED_AT = 16  # pictures that a network from random weights answers before it is trained
START_FACTOR = 4  # how much larger than chance the first loss may be


def fine_tune(model, rows, setup, run):
    """Fine-tune a model, going on where an earlier call ended; its best and last weights end in the run's folder."""
    keep_compiled()
    with pictures_by_row(rows.prepared, rows.ids("train"), setup.cache, setup.progress) as pictures:
        learner = build_learner(model, rows.task, rows.config, rows.labels[rows.part("train")])
        batches = _epochs(rows, setup, pictures)

        def judge():
            return rows.figures("valid", judged_answers(model, rows), "val_")

        loop = Loop(learner, batches, judge, rows.config, run.path, setup.progress, setup.tell)
        best = loop.run(lambda: _begin(model, rows, setup, run))
        run.note(fit={**run.fit, "best": best})


def build_learner(model, task, config, labels):
    """The Learner of a TrainConfig, given the flat labels of the training rows."""
    _freeze_below(model, config.unfreeze)
    network = _randomly_augmented(model) if config.augment == "randaugment" else None
    return Learner(model, recipe_loss(task, config, labels), config, network)


def _epochs(rows, setup, pictures):
    """Function (epoch) -> its batches."""
    labels, config = rows.labels[rows.part("train")], rows.config
    targets = balanced_targets(rows.task, labels, config.balance)
    options = {
        "chances": drawing_chances(rows.task, labels, config.balance),
        "people": rows.people(setup.root),
        "fill": rows.prepared.preprocess.fill,
        "multiple": max(setup.devices, one_shape(config.batch_size)),
    }
    return lambda epoch: Epoch(pictures, targets, rows.task, config, epoch, **options)


def _begin(model, rows, setup, run):
    """The history's row of epoch 0: the classifier on frozen features; None for a network from random weights."""
    if not rows.config.pretrained:
        _require_sane_start(model, rows)
        return None
    fitted = fit_frozen(model, rows, setup)
    run.note(fit={**run.fit, **fitted.fit})
    return fitted.history


def judged_answers(model, rows):
    """Flat probabilities of the judged rows, by the model as it is now."""
    return mean_answers(model, look_at(rows.prepared, rows.ids("valid")), rows.config.judged_variants)


def _require_sane_start(model, rows):
    """A network that starts from random weights knows nothing: its first loss is near the sum of ln(classes)."""
    scores = mean_answers(model, look_at(rows.prepared, rows.ids("train")[:LOOKED_AT]), 1)
    loss = mean_loss(rows.task, rows.targets[rows.part("train")[:LOOKED_AT]], scores)
    chance = sum(head.weight * head.chance_loss for head in rows.task.heads)
    if not loss < START_FACTOR * chance + 1:
        raise InputError(
            f"the first loss is {loss:.3g}, where a network that knows nothing has {chance:.3g}: "
            "its weights, or the values of the pictures, are wrong"
        )


def _freeze_below(model, count):
    """Let only the last `count` of the backbone's layers learn, of those that may (batch norms of pretrained weights
    stay as they are); None = all, 0 = none."""
    if count is None:
        return
    backbone = model.get_layer("backbone")
    layers = [layer for layer in all_layers(backbone) if layer.trainable_weights and is_leaf(layer)]
    for layer in layers[: max(0, len(layers) - count)]:
        layer.trainable = False


def _randomly_augmented(model):
    """The model behind RandAugment, which runs where the network runs: on a CPU it would starve it (TRAPS 11)."""
    image = keras.Input(model.input_shape[1:])
    return keras.Model(image, model(keras.layers.RandAugment(value_range=(0, 255), **RANDAUGMENT)(image)))
