"""The loop is the same for whatever a network answers: here a map of places, with a loss and a judge of its own."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kfashion_utils as kf
from kfashion_utils.runs.config import JUDGED_BY
from kfashion_utils.training.checkpoints import Checkpoints
from kfashion_utils.training.learner import Learner
from kfashion_utils.training.loop import Loop

CONFIG = kf.TrainConfig(
    backbone="tiny", weights="none", fine_tune_epochs=4, batch_size=4, learning_rate=0.02, schedule="cosine", ema=0.5
)


class Batches(keras.utils.PyDataset):
    """Bright squares to be found in noise: pictures `(b, 8, 8, 3)`, masks `(b, 8, 8)`."""

    padding = 0

    def __init__(self, epoch):
        super().__init__()
        rng = np.random.default_rng((0, epoch))
        self.order = np.arange(16)
        self.masks = np.zeros((16, 8, 8), np.float32)
        for mask, (top, left) in zip(self.masks, rng.integers(0, 5, (16, 2)), strict=True):
            mask[top : top + 3, left : left + 3] = 1
        self.pictures = rng.integers(0, 100, (16, 8, 8, 3)) + 150 * self.masks[..., None]

    def __len__(self):
        return 4

    def __getitem__(self, number):
        part = slice(4 * number, 4 * number + 4)
        return self.pictures[part] / 255, self.masks[part]


def places_loss(targets, answers):
    answers = ops.clip(answers, 1e-6, 1 - 1e-6)
    return ops.mean(-targets * ops.log(answers) - (1 - targets) * ops.log(1 - answers), axis=(1, 2))


def finder():
    """A network of places, as segmentation will be one: a `backbone`, and a layer after it."""
    keras.utils.set_random_seed(0)
    image = layers.Input((8, 8, 3))
    backbone = keras.Model(image, layers.Conv2D(4, 3, padding="same", activation="relu")(image), name="backbone")
    outside = layers.Input((8, 8, 3))
    answers = layers.Conv2D(1, 1, activation="sigmoid")(backbone(outside))
    return keras.Model(outside, layers.Reshape((8, 8))(answers))


def looped(folder, config=CONFIG, stop_in=None):
    model = finder()
    held = Batches(99)

    def judge():
        answers = model.predict(held.pictures / 255, verbose=0)
        loss = float(ops.convert_to_numpy(ops.mean(places_loss(held.masks, answers))))
        return {"val_loss": loss, JUDGED_BY: loss, "val_places_accuracy": float(((answers > 0.5) == held.masks).mean())}

    def batches(epoch):
        if epoch == stop_in:
            raise KeyboardInterrupt
        return Batches(epoch)

    return model, Loop(Learner(model, places_loss, config), batches, judge, config, folder, False)


def test_it_learns_and_publishes_the_best_and_the_last(tmp_path):
    _, loop = looped(tmp_path)
    best = loop.run(lambda: None)
    history = Checkpoints(tmp_path / "checkpoints").read()[1]
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert history[-1]["val_loss"] < 0.95 * history[0]["val_loss"]
    assert best == {"epoch": 4, "share": 1.0, JUDGED_BY: history[3][JUDGED_BY]}
    assert {path.name for path in tmp_path.iterdir()} == {
        "best.weights.h5", "last.weights.h5", "history.csv", "checkpoints",
    }  # fmt: skip
    again = finder()
    again.load_weights(tmp_path / "best.weights.h5")
    held = Batches(99)
    answers = again.predict(held.pictures / 255, verbose=0)
    loss = ops.convert_to_numpy(ops.mean(places_loss(held.masks, answers)))
    assert loss == pytest.approx(best[JUDGED_BY], abs=1e-6)


def test_an_interrupted_one_ends_like_an_undisturbed_one(tmp_path):
    _, whole = looped(tmp_path / "whole")
    whole.run(lambda: None)
    _, stopped = looped(tmp_path / "part", stop_in=3)
    with pytest.raises(KeyboardInterrupt):
        stopped.run(lambda: None)
    _, again = looped(tmp_path / "part")
    again.run(lambda: pytest.fail("a state was kept"))
    one, two = (Checkpoints(tmp_path / name / "checkpoints").read() for name in ("whole", "part"))
    for name in one[0]:
        np.testing.assert_array_equal(one[0][name], two[0][name])
    for before, after in zip(one[1], two[1], strict=True):
        assert {**before, "seconds": 0} == {**after, "seconds": 0}


def test_epoch_0_takes_part_in_the_choice(tmp_path):
    config = kf.TrainConfig(**{**CONFIG.to_dict(), "fine_tune_epochs": 1, "learning_rate": 1e-6})
    _, loop = looped(tmp_path, config)
    first = {"epoch": 0, "learning_rate": 0.0, "loss": 9.0, **loop.judge(), "seconds": 0.0}
    first[JUDGED_BY] = 0.0  # better than anything that is trained
    best = loop.run(lambda: first)
    assert best["epoch"] == 0 and len(list((tmp_path / "checkpoints").iterdir())) == 2
