"""`TrainConfig`: how a model is trained."""

import math
from dataclasses import asdict, dataclass, replace

from kfashion_utils.errors import refuse
from kfashion_utils.recipes import settle_types

CHOICES = {
    "taps": (None, "last", "stages"),
    "head": ("linear", "hidden", "residual"),
    "balance": ("none", "sqrt", "full", "sample", "focal", "logit"),
    "schedule": ("constant", "step", "cosine", "plateau"),
    "augment": (None, "none", "light", "strong", "randaugment"),
    "mix": ("none", "mixup", "cutmix", "both"),
    "loss": ("cross_entropy", "generalized"),
    "precision": ("auto", "float32"),
}
TUNED = {
    "ema": 0.99,
    "warmup": 1.0,
}  # of a pretrained network that is fine-tuned, unless said otherwise: without them it lost what the head had
OF_FINE_TUNING = (
    "augment",
    "swap",
    "ema",
    "stop_after",
    "unfreeze",
    "parent_share",
    "warmup",
)  # what frozen features have no use for
HUB = "hub:"  # a backbone that is a preset of KerasHub
SCRATCH_EPOCHS = 25  # of a network without pretrained weights, unless said otherwise
MAY_GROW = ("fine_tune_epochs", "head_epochs")


@dataclass(frozen=True)
class TrainConfig:
    """A recipe for training; equal values (on equal data, on the CPU) give equal results.

    Args:
        backbone: a row of `BACKBONES`, or `hub:<preset>`: an image encoder of KerasHub.
        weights: `imagenet`, `none`, the path of a weights-only `.h5`, or of a finished run of the same backbone; None = imagenet where it is published, a preset's own, else none.
        taps: which features a head reads: `last` = the average over places of the base's output; `stages` = mean, standard deviation and
            maximum over places of its last two stages; None = `stages` for pretrained weights.
        sizes: sides at which the base sees a picture, pixels, resized within the model; () = as it is prepared.
        views: how many views of each training picture a head learns from: 1 = the original, 2 = and its mirror image, more = and
            lightly augmented ones.
        head: `linear` = logistic regression, solved to convergence, its strength chosen by group cross-validation; `hidden` = two dense layers
            with dropout; `residual` = a long branch added to a short one.
        head_epochs: of `hidden` and `residual`.
        balance: what the classes of each head count: `none` = as often as they come, `sqrt` = in between, `full` = all the same (class weights),
            `logit` = the same by logit adjustment; where something is trained and not solved also `sample` = rare ones are drawn more often, `focal` =
            what is already known counts less. Heads with several labels know `logit` and `focal`, and all but these two
            where they are solved and nothing is trained after.
        mix: `mixup` interpolates pictures (without fine-tuning features, while `hidden` or `residual` learns) and labels; `cutmix` replaces a
            rectangle, labels by the area that is left; `both` = one of them a batch; `none`.
        loss: `cross_entropy`, or `generalized`, which forgives wrong labels (of `hidden`, `residual` and fine-tuning).
        sub_labels: let a second opinion in the column `sub_<head>` take a share of the label, chosen by cross-validation (`linear`).
        fine_tune_epochs: epochs over the whole network after the head is solved; None = 0 with pretrained weights, and
            25 without (then the network is trained from scratch and no head is solved before). The published weights are those with the lowest
            validation loss: of an epoch, or on the straight line from the frozen start to the last epoch.
        batch_size: pictures a step.
        learning_rate: of a network that starts from random weights, and of a head that is trained.
        fine_tune_rate: of a network that starts from pretrained weights.
        head_factor: how much larger the head's rate is than the backbone's while fine-tuning.
        unfreeze: how many of the backbone's layers learn while fine-tuning, from the top, batch norms of pretrained weights not counted; None = all, 0 = the head alone.
        schedule: `step` multiplies the rate by `drop` every `every` epochs, `constant` keeps it, `cosine` lets it sink to 0 (Loshchilov & Hutter,
            ICLR 2017), `plateau` multiplies it by `drop` after `patience` epochs without a lower validation loss.
        drop, every, patience: of the schedules.
        warmup: epochs in which the rate grows from 0, linearly; None = 1 where a pretrained network is fine-tuned, else 0.
        stop_after: epochs without a lower validation loss after which training ends; None = never early.
        ema: judge and keep a moving average of the weights with this momentum, 0 = the weights themselves; None = 0.99 where a pretrained network is
            fine-tuned, else 0.
        augment: each epoch of fine-tuning sees every picture changed anew: `light` = mirror, shift, zoom, brightness and colour, `strong` = more of it,
            turned and partly erased, `randaugment` = two random operations on the accelerator; `none`; None = light where there is fine-tuning.
        swap: share of the pictures whose person is pasted on the background of another photograph; needs polygons and a recipe that paints nothing.
        label_smoothing: share of every label spread evenly over the classes that occur, where something is trained, 0..1.
        parent_share: share of the loss that is taken over the parents of a head that has them, 0..1.
        weight_decay: of AdamW.
        precision: `auto` = half precision for the backbone where a GPU gains by it while fine-tuning; `float32`.
        seed: of everything random.

    Raises:
        InputError: a value outside these ranges.
    """

    backbone: str = "efficientnet_b0"
    weights: str | None = None
    taps: str | None = None
    sizes: tuple[int, ...] = ()
    views: int = 2
    head: str = "linear"
    head_epochs: int = 30
    balance: str = "none"
    mix: str = "none"
    loss: str = "cross_entropy"
    sub_labels: bool = False
    fine_tune_epochs: int | None = None
    batch_size: int = 16
    learning_rate: float = 2e-3
    fine_tune_rate: float = 1e-4
    head_factor: float = 1.0
    unfreeze: int | None = None
    schedule: str = "step"
    drop: float = 0.5
    every: int = 10
    patience: int = 3
    warmup: float | None = None
    stop_after: int | None = None
    ema: float | None = None
    augment: str | None = None
    swap: float = 0.0
    label_smoothing: float = 0.1
    parent_share: float = 0.0
    weight_decay: float = 1e-2
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self):
        settle_types(self)
        object.__setattr__(self, "sizes", tuple(self.sizes))
        problems = [
            f"{name}={getattr(self, name)!r}: expected one of {valid}"
            for name, valid in CHOICES.items()
            if getattr(self, name) not in valid
        ]
        positive = (
            "batch_size",
            "learning_rate",
            "fine_tune_rate",
            "drop",
            "every",
            "views",
            "head_epochs",
            "patience",
            "head_factor",
        )
        problems += [
            f"{name}={getattr(self, name)!r}: expected more than 0" for name in positive if not getattr(self, name) > 0
        ]
        problems += [f"sizes={self.sizes}: expected whole numbers from 32 to 1024, each once"] * (
            not _are_sides(self.sizes)
        )
        if self.head != "linear" and self.sub_labels:
            problems.append("sub_labels needs head='linear'")
        if self.fine_tune_epochs is not None and self.fine_tune_epochs < 0:
            problems.append(f"fine_tune_epochs={self.fine_tune_epochs}: expected 0 or more")
        problems += [
            f"{name}={getattr(self, name)}: expected 1 or more"
            for name in ("stop_after",)
            if getattr(self, name) is not None and getattr(self, name) < 1
        ]
        problems += [
            f"{name}={getattr(self, name)}: expected 0 or more"
            for name in ("warmup", "unfreeze")
            if (getattr(self, name) or 0) < 0
        ]
        for name in ("weight_decay", "label_smoothing", "ema", "swap", "parent_share"):
            if not 0 <= (getattr(self, name) or 0) <= (1 if name in ("swap", "parent_share") else 1 - 1e-9):
                problems.append(
                    f"{name}={getattr(self, name)}: expected a share, 0 or more{'' if name in ('swap', 'parent_share') else ', below 1'}"
                )
        if not 0 <= self.seed < 2**31:
            problems.append(f"seed={self.seed}: expected 0 or more, below 2**31")
        refuse("the recipe for training is not usable", problems)

    def resolved(self, has_imagenet):
        """The same recipe with nothing left open; `has_imagenet` says whether the backbone has published weights.

        Raises:
            InputError: what belongs to fine-tuning without any, or what a solved head cannot do.
        """
        published = "preset" if self.backbone.startswith(HUB) else "imagenet" if has_imagenet else "none"
        weights = self.weights or published
        epochs = (
            (SCRATCH_EPOCHS if weights == "none" else 0) if self.fine_tune_epochs is None else self.fine_tune_epochs
        )
        if not epochs:
            refuse("the recipe for training is not usable", self._problems_without_fine_tuning())
        augment = (self.augment or "light") if epochs else None
        taps = self.taps or ("last" if weights in ("none", "preset") else "stages")
        tuned = {
            name: value for name, value in TUNED.items() if getattr(self, name) is None and epochs and weights != "none"
        }
        return replace(self, weights=weights, fine_tune_epochs=epochs, augment=augment, taps=taps, **tuned)

    def _problems_without_fine_tuning(self):
        for name in OF_FINE_TUNING:
            if getattr(self, name) != getattr(TrainConfig, name) and getattr(self, name) not in ("none", 0):
                remedy = (
                    "; for frozen features ask for augmented views (views=4: the original, its mirror image and two more)"
                    if name == "augment"
                    else ""
                )
                yield f"{name}={getattr(self, name)!r} belongs to fine-tuning, and features are computed once: ask for fine_tune_epochs{remedy}"
        if self.schedule not in ("constant", "step"):
            yield f"schedule={self.schedule!r} belongs to fine-tuning: ask for fine_tune_epochs, or for 'step'"
        if self.mix in ("cutmix", "both"):
            yield f"mix={self.mix!r} cuts pictures, and features are computed once: ask for fine_tune_epochs, or mix='mixup' with head='hidden'"
        if self.head == "linear":
            trained = {
                "mix": self.mix != "none",
                "balance": self.balance in ("sample", "focal"),
                "loss": self.loss != "cross_entropy",
            }
            yield from (
                f"{name}={getattr(self, name)!r} is of what is trained, and a linear head is solved: use head='hidden', or fine_tune_epochs"
                for name, asked in trained.items()
                if asked
            )

    @property
    def shape(self):
        """What `build_model` takes of it beside backbone and weights."""
        return {"taps": self.taps or "last", "sizes": self.sizes, "head": self.head}

    def rate(self, epoch, history=(), done=0.0):
        """Learning rate in epoch 1, 2, … after the share `done` of its steps.

        Args:
            history: the epochs before, dicts with `val_calibrated_loss`: what `plateau` looks at.
        """
        past, warmup = epoch - 1 + done, self.warmup or 0.0
        factor = {
            "constant": lambda: 1.0,
            "step": lambda: self.drop ** ((epoch - 1) // self.every),
            "cosine": lambda: (
                (1 + math.cos(math.pi * min(1, max(0, past - warmup) / max(self.fine_tune_epochs - warmup, 1e-9)))) / 2
            ),
            "plateau": lambda: self.drop ** _plateaus([row["val_calibrated_loss"] for row in history], self.patience),
        }[self.schedule]()
        start = self.learning_rate if self.weights == "none" else self.fine_tune_rate
        return start * factor * (min(1, past / warmup) if warmup else 1)

    @property
    def judged_views(self):
        """How many views of a picture an answer is the mean of: the original and, where a pretrained base learned from it, its mirror image."""
        return 1 if self.weights == "none" and self.fine_tune_epochs else min(self.views, 2)

    def head_rate(self, epoch):
        """Learning rate of epoch 1, 2, … of a head that is trained: in steps, unless it is constant."""
        return self.learning_rate * (1.0 if self.schedule == "constant" else self.drop ** ((epoch - 1) // self.every))

    def to_dict(self):
        return {**asdict(self), "sizes": list(self.sizes)}


def _plateaus(losses, patience):
    """How often `patience` epochs in a row brought no lower loss."""
    best, waited, count = math.inf, 0, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == patience:
            waited, count = 0, count + 1
    return count


def _are_sides(sizes):
    return len(set(sizes)) == len(sizes) and all(
        isinstance(side, int) and not isinstance(side, bool) and 32 <= side <= 1024 for side in sizes
    )
