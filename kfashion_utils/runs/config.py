"""`TrainConfig`: how a model is trained."""

import math
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.recipes import settle_types, takes_old_names
from kfashion_utils.runs.backbones import find_backbone
from kfashion_utils.runs.weights import HUB, Weights

CHOICES = {
    "taps": (None, "last", "stages"),
    "classifier": ("linear", "hidden", "residual"),
    "balance": ("none", "sqrt", "full", "sample", "focal", "logit"),
    "schedule": ("constant", "step", "cosine", "plateau"),
    "augment": (None, "none", "light", "strong", "randaugment"),
    "mix": ("none", "mixup", "cutmix", "both"),
    "loss": ("cross_entropy", "generalized"),
    "precision": ("auto", "float32"),
}
POSITIVE = (
    "batch_size", "learning_rate", "fine_tune_rate", "drop", "every", "variants", "classifier_epochs", "patience",
    "classifier_factor",
)  # fmt: skip
NOT_NEGATIVE = ("warmup", "unfreeze", "fine_tune_epochs")
SHARES = {"swap": 1, "parent_share": 1}  # 0 to 1
SHARES_BELOW_ONE = ("weight_decay", "label_smoothing", "ema")
# what a pretrained network is fine-tuned with, unless said otherwise: without them it lost what the classifier had
TUNED = {"ema": 0.99, "warmup": 1.0}
# what frozen features have no use for
OF_FINE_TUNING = ("augment", "swap", "ema", "stop_after", "unfreeze", "parent_share", "warmup")
SCRATCH_EPOCHS = 25  # of a network without pretrained weights, unless said otherwise
MAY_GROW = ("fine_tune_epochs", "classifier_epochs")
JUDGED_BY = "val_calibrated_loss"  # column of the history: what epochs are compared by, lower is better
UNUSABLE = "the recipe for training is not usable"


@takes_old_names
@dataclass(frozen=True)
class TrainConfig:
    """A recipe for training; equal values (on equal data, on the CPU) give equal results.

    Args:
        backbone: a name that `kfashion backbones` lists, or `hub:<preset>`: an image encoder of KerasHub.
        weights: `imagenet`, `none`, the path of a weights-only `.h5`, or of a finished run of the same backbone;
            None = imagenet where it is published, a preset's own, else none.
        taps: which features a classifier reads: `last` = the average over places of the base's output; `stages` = mean,
            standard deviation and maximum over places of its last two stages; None = `stages` for pretrained weights.
        sizes: sides at which the base sees a picture, pixels, resized within the model; () = as it is prepared.
        variants: how many variants of each training picture a classifier learns from: 1 = the original, 2 = and its
            mirror image, more = and lightly augmented ones.
        classifier: `linear` = logistic regression, solved to convergence, its strength chosen by group
            cross-validation; `hidden` = two dense layers with dropout; `residual` = a long branch added to a short one.
        classifier_epochs: epochs over the features for `hidden` and `residual`.
        balance: what the classes of each head count: `none` = as often as they come, `sqrt` = in between, `full` = all
            the same (class weights), `logit` = the same by logit adjustment; where something is trained and not solved
            also `sample` = rare ones are drawn more often, `focal` = what is already known counts less. Heads with
            several labels know `logit` and `focal`, and all but these two where they are solved and nothing is
            trained after.
        mix: `mixup` interpolates pictures (without fine-tuning features, while `hidden` or `residual` learns) and
            labels; `cutmix` replaces a rectangle, labels by the area that is left; `both` = one of them a batch;
            `none`.
        loss: `cross_entropy`, or `generalized`, which forgives wrong labels (of `hidden`, `residual` and fine-tuning).
        sub_labels: let a second opinion in the column `sub_<head>` take a share of the label, chosen by
            cross-validation (`linear`).
        fine_tune_epochs: epochs over the whole network after the classifier is solved; None = 0 with pretrained
            weights, and 25 without (then the network is trained from scratch and no classifier is solved before). The
            published weights are those with the lowest validation loss: of an epoch, or on the straight line from the
            frozen start to the last epoch.
        batch_size: pictures in a step of training.
        learning_rate: of a network that starts from random weights, and of a classifier that is trained.
        fine_tune_rate: of a network that starts from pretrained weights.
        classifier_factor: how much larger the classifier's rate is than the backbone's while fine-tuning.
        unfreeze: how many of the backbone's layers learn while fine-tuning, from the top, batch norms of pretrained
            weights not counted; None = all, 0 = the classifier alone.
        schedule: `step` multiplies the rate by `drop` every `every` epochs, `constant` keeps it, `cosine` lets it sink
            to 0 (Loshchilov & Hutter, ICLR 2017), `plateau` multiplies it by `drop` after `patience` epochs without a
            lower validation loss.
        drop: what `step` and `plateau` multiply the rate by.
        every: epochs between two steps of `step`.
        patience: epochs without a lower validation loss after which `plateau` drops the rate.
        warmup: epochs in which the rate grows from 0, linearly; None = 1 where a pretrained network is fine-tuned,
            else 0.
        stop_after: epochs without a lower validation loss after which training ends; None = never early.
        ema: judge and keep a moving average of the weights with this momentum, 0 = the weights themselves; None = 0.99
            where a pretrained network is fine-tuned, else 0.
        augment: each epoch of fine-tuning sees every picture changed anew: `light` = mirror, shift, zoom, brightness
            and colour, `strong` = more of it, turned and partly erased, `randaugment` = two random operations on the
            accelerator; `none`; None = light where there is fine-tuning.
        swap: share of the pictures whose person is pasted on the background of another photograph; needs polygons and
            a recipe that paints nothing.
        label_smoothing: share of every label spread evenly over the classes that occur, where something is trained.
        parent_share: share of the loss that is taken over the parents of a head that has them, 0..1.
        weight_decay: of AdamW, Loshchilov & Hutter (ICLR 2019).
        precision: `auto` = half precision for the backbone where a GPU gains by it while fine-tuning; `float32`.
        seed: of everything random.

    The old names `views`, `head`, `head_epochs` and `head_factor` still work.

    Raises:
        InputError: a value outside these ranges.
    """

    OLD_NAMES: ClassVar[dict] = {
        "views": "variants",
        "head": "classifier",
        "head_epochs": "classifier_epochs",
        "head_factor": "classifier_factor",
    }

    backbone: str = "efficientnet_b0"
    weights: str | None = None
    taps: str | None = None
    sizes: tuple[int, ...] = ()
    variants: int = 2
    classifier: str = "linear"
    classifier_epochs: int = 30
    balance: str = "none"
    mix: str = "none"
    loss: str = "cross_entropy"
    sub_labels: bool = False
    fine_tune_epochs: int | None = None
    batch_size: int = 16
    learning_rate: float = 2e-3
    fine_tune_rate: float = 1e-4
    classifier_factor: float = 1.0
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
        refuse(UNUSABLE, self._problems())

    def _problems(self):
        if not self.backbone.startswith(HUB):
            try:
                find_backbone(self.backbone)
            except InputError as error:
                yield str(error)
        for name, valid in CHOICES.items():
            if getattr(self, name) not in valid:
                yield f"{name}={getattr(self, name)!r}: expected one of {valid}"
        yield from (
            f"{name}={getattr(self, name)!r}: expected more than 0" for name in POSITIVE if not self._given(name) > 0
        )
        yield from (
            f"{name}={getattr(self, name)}: expected 0 or more" for name in NOT_NEGATIVE if self._given(name) < 0
        )
        for name in SHARES:
            if not 0 <= self._given(name) <= 1:
                yield f"{name}={getattr(self, name)}: expected a share, 0 or more"
        for name in SHARES_BELOW_ONE:
            if not 0 <= self._given(name) < 1:
                yield f"{name}={getattr(self, name)}: expected a share, 0 or more, below 1"
        if not _are_sides(self.sizes):
            yield f"sizes={self.sizes}: expected whole numbers from 32 to 1024, each once"
        if self.classifier != "linear" and self.sub_labels:
            yield "sub_labels needs classifier='linear'"
        if self.stop_after is not None and self.stop_after < 1:
            yield f"stop_after={self.stop_after}: expected 1 or more"
        if not 0 <= self.seed < 2**31:
            yield f"seed={self.seed}: expected 0 or more, below 2**31"

    def _given(self, name):
        """The value of a field, 0 where it is left open."""
        return getattr(self, name) or 0

    # What is left open ------------------------------------------------------------------------------------------------

    def resolved(self, has_imagenet):
        """The same recipe with nothing left open; `has_imagenet` says whether the backbone has published weights.

        Raises:
            InputError: what belongs to fine-tuning without any, or what a solved classifier cannot do.
        """
        weights = self.weights or self._published(has_imagenet)
        epochs = self.fine_tune_epochs
        if epochs is None:
            epochs = SCRATCH_EPOCHS if weights == "none" else 0
        if not epochs:
            refuse(UNUSABLE, self._problems_without_fine_tuning())
        augment = (self.augment or "light") if epochs else None
        taps = self.taps or ("last" if weights in ("none", "preset") else "stages")
        tuned = {name: value for name, value in TUNED.items() if getattr(self, name) is None}
        if not epochs or weights == "none":
            tuned = {}
        return replace(self, weights=weights, fine_tune_epochs=epochs, augment=augment, taps=taps, **tuned)

    def _published(self, has_imagenet):
        if self.backbone.startswith(HUB):
            return "preset"
        return "imagenet" if has_imagenet else "none"

    def _problems_without_fine_tuning(self):
        for name in OF_FINE_TUNING:
            chosen = getattr(self, name)
            if chosen != getattr(TrainConfig, name) and chosen not in ("none", 0):
                yield f"{name}={chosen!r} belongs to fine-tuning, and features are computed once: {_remedy(name)}"
        if self.schedule not in ("constant", "step"):
            yield f"schedule={self.schedule!r} belongs to fine-tuning: ask for fine_tune_epochs, or for 'step'"
        if self.mix in ("cutmix", "both"):
            yield (
                f"mix={self.mix!r} cuts pictures, and features are computed once: ask for fine_tune_epochs, "
                "or mix='mixup' with classifier='hidden'"
            )
        if self.classifier == "linear":
            yield from self._problems_of_what_is_solved()

    def _problems_of_what_is_solved(self):
        trained = {
            "mix": self.mix != "none",
            "balance": self.balance in ("sample", "focal"),
            "loss": self.loss != "cross_entropy",
        }
        for name in (name for name, asked in trained.items() if asked):
            yield (
                f"{name}={getattr(self, name)!r} is of what is trained, and a linear classifier is solved: "
                "use classifier='hidden', or fine_tune_epochs"
            )

    # What follows from it ---------------------------------------------------------------------------------------------

    @property
    def start(self):
        """What the network starts from, a `Weights`.

        Raises:
            InputError: a `hub:` backbone with weights of another origin.
        """
        return Weights.parse(self.weights or "none", self.backbone)

    @property
    def pretrained(self):
        """Whether the network knows anything before it is trained."""
        return self.weights != "none"

    @property
    def shape(self):
        """What `build_model` takes of it beside backbone and weights."""
        return {"taps": self.taps or "last", "sizes": self.sizes, "classifier": self.classifier}

    @property
    def judged_variants(self):
        """How many variants of a picture an answer is the mean of: the original and, where a pretrained base learned
        from it, its mirror image."""
        return 1 if not self.pretrained and self.fine_tune_epochs else min(self.variants, 2)

    def rate(self, epoch, history=(), done=0.0):
        """Learning rate in epoch 1, 2, … after the share `done` of its steps.

        Args:
            history: the epochs before, dicts with `JUDGED_BY`: what `plateau` looks at.
        """
        past, warmup = epoch - 1 + done, self.warmup or 0.0
        factor = {"constant": _constant, "step": _step, "cosine": _cosine, "plateau": _plateau}[self.schedule]
        start = self.fine_tune_rate if self.pretrained else self.learning_rate
        return start * factor(self, epoch, history, past - warmup) * (min(1, past / warmup) if warmup else 1)

    def classifier_rate(self, epoch):
        """Learning rate of epoch 1, 2, … of a classifier that is trained: in steps, unless it is constant."""
        return self.learning_rate * (1.0 if self.schedule == "constant" else self.drop ** ((epoch - 1) // self.every))

    def to_dict(self):
        return {**asdict(self), "sizes": list(self.sizes)}


def _remedy(name):
    if name != "augment":
        return "ask for fine_tune_epochs"
    return (
        "ask for fine_tune_epochs; for frozen features ask for augmented variants "
        "(variants=4: the original, its mirror image and two more)"
    )


def _are_sides(sizes):
    whole = [side for side in sizes if isinstance(side, int) and not isinstance(side, bool)]
    return len(set(sizes)) == len(sizes) == len(whole) and all(32 <= side <= 1024 for side in whole)


# Schedules: the factor of the rate in an epoch; `past` = epochs since the warm-up ended -------------------------------


def _constant(config, epoch, history, past):
    return 1.0


def _step(config, epoch, history, past):
    return config.drop ** ((epoch - 1) // config.every)


def _cosine(config, epoch, history, past):
    length = max(config.fine_tune_epochs - (config.warmup or 0.0), 1e-9)
    return (1 + math.cos(math.pi * min(1, max(0, past) / length))) / 2


def _plateau(config, epoch, history, past):
    """`drop` for every `patience` epochs in a row that brought no lower loss."""
    best, waited, count = math.inf, 0, 0
    for row in history:
        best, waited = (row[JUDGED_BY], 0) if row[JUDGED_BY] < best else (best, waited + 1)
        if waited == config.patience:
            waited, count = 0, count + 1
    return config.drop**count
