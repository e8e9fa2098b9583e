"""`Loop`: epochs over (learner, batches, judge), each kept when it is done; the same for every kind of answer.

It knows nothing of classes or pictures: a `Learner` holds model and loss, `batches` gives the batches of an epoch,
`judge` says how good the model is. Calling it again goes on after the last whole epoch, and ends with what an
undisturbed training gives.
"""

import contextlib
import time
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.models.weight_files import save_weights
from kfashion_utils.output import say
from kfashion_utils.runs.config import JUDGED_BY
from kfashion_utils.storage.files import write_table
from kfashion_utils.training.checkpoints import Checkpoints, best_epoch

BLENDS = (0.25, 0.5, 0.75)  # shares of the way from the start to the last epoch that are looked at


class Loop:
    """A training in epochs, in a run's folder.

    Args:
        learner: Learner.
        batches: function (epoch) -> PyDataset of that epoch, a function of its number alone.
        judge: function () -> {figure: value} of the learner's model as it is now; `JUDGED_BY` among them, lower is
            better.
        config: TrainConfig.
        folder: of the run: `checkpoints/`, `history.csv`, `best.weights.h5` and `last.weights.h5` are written there.
        progress: show a bar and a line for each epoch.
        tell: called with the history's row of each epoch that is done and kept.
    """

    def __init__(self, learner, batches, judge, config, folder, progress, tell=lambda row: None):
        self.learner, self.batches, self.judge = learner, batches, judge
        self.config, self.folder, self.progress, self.tell = config, Path(folder), progress, tell
        self.checkpoints = Checkpoints(self.folder / "checkpoints")

    def run(self, begin):
        """Train until the epochs are done, or nothing gets better; then publish the last and the best weights.

        Args:
            begin: function () -> the history's row of epoch 0, or None where the network starts from random weights;
                called where no state is kept. It may change the model.

        Returns:
            The best weights' `{"epoch", "share", JUDGED_BY}`: of an epoch (share 1), or on the way to it from epoch 0.

        Raises:
            InputError: see `Learner.one_epoch`; a state that is needed is damaged.
        """
        history = self._resume() or self._begin(begin)
        while not is_over(self.config, history):
            history = [*history, self._one_epoch(history)]
            self._keep(history)
            self._report(history)
            self.tell(history[-1])
        write_history(self.folder, history)
        self._publish_last(history)
        best = self._publish_best(history)
        ends = (history[-1], best_epoch(history))
        self.checkpoints.keep({0, *(int(row["epoch"]) for row in ends)})  # from here the epochs can grow
        return best

    def _resume(self):
        """The history of the newest whole state, which the learner then holds; [] if there is none."""
        arrays, history = self.checkpoints.read()
        if history:
            self.learner.restore(arrays)
        return history

    def _begin(self, begin):
        first = begin()
        if first is None:
            return []
        self.checkpoints.save(self.learner.state(), [first])
        self.tell(first)
        return [first]

    def _one_epoch(self, history):
        started = time.time()
        epoch = int(history[-1]["epoch"]) + 1 if history else 1
        learned = self.learner.one_epoch(self.batches(epoch), epoch, history, self.progress)
        with self.learner.averaged():
            judged = self.judge()
        return {**learned, **judged, "seconds": round(time.time() - started, 2)}

    def _keep(self, history):
        self.checkpoints.save(self.learner.state(), history)
        write_history(self.folder, history)

    def _report(self, history):
        if self.progress:
            say(describe_epoch(history, self.config))

    # The end ----------------------------------------------------------------------------------------------------------

    def _restore(self, row):
        arrays, _ = self.checkpoints.read(int(row["epoch"]))
        if arrays is None:
            raise InputError(
                f"{self.checkpoints.folder}: the state of epoch {row['epoch']} is damaged; "
                f"delete {self.folder} and train again"
            )
        self.learner.restore(arrays)

    def _publish_last(self, history):
        self._restore(history[-1])
        with self.learner.averaged():
            publish(self.learner.model, self.folder, ["last"])

    def _publish_best(self, history):
        """The weights that are judged best: of an epoch, or on the straight line from epoch 0 to the last one, where
        networks often answer better than at either end (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR
        2022)."""
        start, _ = self.checkpoints.read(0)
        found = [_judged_row(best_epoch(history))]
        if start is not None and int(history[-1]["epoch"]):
            found += [self._judge_blend(start, share, history[-1]) for share in BLENDS]
        best = best_epoch(found)
        self._restore(best)
        with self._weights_of(best, start):
            publish(self.learner.model, self.folder, ["best"])
        if self.progress and best["share"] < 1:
            say(
                f"best: {best['share']:.0%} of the way from the frozen start to epoch {best['epoch']}, "
                f"validation loss at its best temperature {best[JUDGED_BY]:.3f}"
            )
        return best

    def _judge_blend(self, start, share, last):
        with self.learner.blended(start, share):
            return _judged_row({**last, **self.judge()}, share)

    @contextlib.contextmanager
    def _weights_of(self, best, start):
        share = best["share"]
        with self.learner.blended(start, share) if share < 1 else self.learner.averaged():
            yield


def _judged_row(row, share=1.0):
    return {"epoch": int(row["epoch"]), "share": share, JUDGED_BY: row[JUDGED_BY]}


def is_over(config, history):
    """Whether training ends after these epochs: all are done, or `stop_after` of them brought nothing better."""
    done = int(history[-1]["epoch"]) if history else 0
    stopped = config.stop_after and history and done - int(best_epoch(history)["epoch"]) >= config.stop_after
    return done >= config.fine_tune_epochs or bool(stopped)


# Files of a run -------------------------------------------------------------------------------------------------------


def write_history(folder, history):
    """`history.csv`: one row an epoch."""
    write_table(Path(folder, "history.csv"), pd.DataFrame(history))


def publish(model, folder, names):
    """The weights of a model as `<name>.weights.h5` in a run's folder."""
    save_weights(model, *(Path(folder, f"{name}.weights.h5") for name in names))


def describe_epoch(history, config):
    """The last epoch in one line: its rate, losses, the accuracy of each head, and the time that is left."""
    row = history[-1]
    heads = ", ".join(f"{name} {value:.3f}" for name, value in head_accuracies(row).items())
    left = np.mean([one["seconds"] for one in history[-3:]]) * (config.fine_tune_epochs - row["epoch"])
    return (
        f"epoch {row['epoch']:>3}/{config.fine_tune_epochs}  rate {row['learning_rate']:.2g}  loss {row['loss']:.3f}  "
        f"validation loss {row['val_loss']:.3f}, {heads}  {row['seconds']:.1f} s, {left / 60:.1f} min left"
    )


def head_accuracies(row):
    """{head: accuracy on validation rows} in a row of a history."""
    judged = {name.removeprefix("val_"): value for name, value in row.items() if name.startswith("val_")}
    return {name.removesuffix("_accuracy"): value for name, value in judged.items() if name.endswith("_accuracy")}
