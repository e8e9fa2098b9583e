"""What a training learns from and is judged on, and where and with what it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.images.compositing import People
from kfashion_utils.images.prepare import PreparedImages
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.tables.labels import SUB, Task
from kfashion_utils.training.losses import calibrated_loss, mean_loss, task_targets


@dataclass(frozen=True)
class Setup:
    """Where and with what a training runs; nothing of it changes the result.

    Attributes:
        root: folder that the paths of the catalog are relative to.
        cache: folder of caches for prepared pictures and features.
        workers: processes that prepare pictures; None = one a core.
        devices: how many devices share a batch.
        progress: say what is done.
        on_epoch: called with the history's row of each epoch that is done, a dict; None = nobody is told.
    """

    root: Path
    cache: Path
    workers: int | None = None
    devices: int = 1
    progress: bool = True
    on_epoch: Callable | None = None

    def tell(self, row):
        """Hand a row of the history to whoever asked for it."""
        if self.on_epoch:
            self.on_epoch(dict(row))


@dataclass(frozen=True)
class Rows:
    """The rows of a training whose pictures are prepared.

    Attributes:
        task, config: the recipe.
        split: `train` = learn from the train rows, judge the valid ones; `all` = learn from all, judge all.
        table: DataFrame of the catalog.
        prepared: PreparedImages of its rows.
    """

    task: Task
    config: TrainConfig
    split: str
    table: pd.DataFrame
    prepared: PreparedImages

    @cached_property
    def labels(self):
        """Flat labels float32 `(n, num_classes)`, NaN where not annotated."""
        return self.task.encode(self.table)

    @cached_property
    def targets(self):
        """What the loss is given, float32 `(n, num_classes + heads)`."""
        return task_targets(self.task, self.labels)

    def part(self, name):
        """Row numbers that are learned from (`train`) or judged (`valid`); with split `all` both are all rows."""
        return np.flatnonzero((self.table["split"] == name) | (self.split == "all"))

    def of(self, name):
        """The table of a part."""
        return self.table.iloc[self.part(name)]

    def ids(self, name):
        """Ids of a part, an array."""
        return self.table["id"].to_numpy()[self.part(name)]

    def figures(self, name, scores, prefix):
        """Loss and each head's accuracy over the annotated rows of a part, given their flat probabilities."""
        targets = self.targets[self.part(name)]
        figures = {f"{prefix}loss": mean_loss(self.task, targets, scores)}
        if name == "valid":
            figures[f"{prefix}calibrated_loss"] = calibrated_loss(self.task, targets, scores)
        for number, head in enumerate(self.task.heads):
            known = targets[:, self.task.num_classes + number] > 0
            block = self.task.slices[head.name]
            right = head.share_right(targets[known, block], scores[known, block])
            figures[f"{prefix}{head.name}_accuracy"] = float(right.mean()) if known.any() else float("nan")
        return figures

    def second_opinions(self):
        """Flat labels of the columns `sub_<head>` of the training rows, zeros where there is none; None = not asked
        for.

        Raises:
            InputError: asked for, and the table has no such column.
        """
        if not self.config.sub_labels:
            return None
        rows = self.of("train")
        wanted = {head.name: f"{SUB}{head.name}" for head in self.task.heads}
        if not set(wanted.values()) & set(rows.columns):
            raise InputError(
                f"sub_labels: the catalog has no column {list(wanted.values())}; "
                "K-Fashion's is made by `kfashion catalog kfashion`"
            )
        blank = {name: rows[column] if column in rows.columns else "" for name, column in wanted.items()}
        return np.nan_to_num(self.task.encode(pd.DataFrame(blank, index=rows.index)))

    def people(self, root):
        """Masks of the training rows for the background swap; None without one."""
        if not self.config.swap:
            return None
        foreground = self.prepared.preprocess.foreground
        return People(foreground(row["path"], row, root) for row in self.of("train").to_dict("records"))
