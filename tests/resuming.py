"""A training that kills itself with -9 at a stated point of an epoch: `python resuming.py CATALOG ROOT RUN CACHE CONFIG
POINT EPOCH`."""

import json
import os
import signal
import sys

import kfashion_utils as kf
from kfashion_utils.storage import files as storage
from kfashion_utils.training import fine_tuning
from kfashion_utils.training.batches import Epoch
from kfashion_utils.training.checkpoints import Checkpoints
from kfashion_utils.training.learner import Learner

POINTS = ("begin", "middle", "validation", "save")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point, wanted):
    """Let the process die at that point of that epoch."""
    one_epoch, batch, save = Learner.one_epoch, Epoch.__getitem__, Checkpoints.save
    answers = fine_tuning.judged_answers
    now = {"epoch": 0}

    def begin(learner, batches, epoch, *rest):
        now["epoch"] = epoch
        if (point, epoch) == ("begin", wanted):
            die()
        return one_epoch(learner, batches, epoch, *rest)

    def middle(batches, number):
        if (point, batches.epoch, number) == ("middle", wanted, 2):
            die()
        return batch(batches, number)

    def validation(*arguments):
        if (point, now["epoch"]) == ("validation", wanted):
            die()
        return answers(*arguments)

    def saving(checkpoints, arrays, history):
        if (point, history[-1]["epoch"]) == ("save", wanted):
            storage.os.replace = lambda *_: die()  # written, synced, and not yet named
        save(checkpoints, arrays, history)

    Learner.one_epoch, Epoch.__getitem__, Checkpoints.save = begin, middle, saving
    fine_tuning.judged_answers = validation


def main(catalog, root, run, cache, config, point, epoch):
    if point in POINTS:
        arm(point, int(epoch))
    config = kf.TrainConfig(**json.loads(config))
    kf.train(
        kf.read_catalog(catalog),
        root,
        run,
        preprocess=kf.Preprocess(size=32),
        config=config,
        cache=cache,
        workers=1,
        progress=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
