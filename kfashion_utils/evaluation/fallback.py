"""What stands in a submission for pictures that have no prediction."""

from dataclasses import dataclass

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.label_forms import label_meant
from kfashion_utils.tables.predictions import head_scores, provenance

MAJORITY = "majority"


@dataclass(frozen=True)
class Fallback:
    """The answer of one head for a picture without a prediction.

    Attributes:
        head: the head.
        label: the label that is written.
        shares: float `(classes,)`: what is written where probabilities are asked for.
        origin: where the label comes from, in words.
        mix: where the shares come from.
    """

    head: object
    label: str
    shares: np.ndarray
    origin: str
    mix: str

    def said(self, as_shares):
        """What stands in the file, in words."""
        if as_shares:
            return f"{self.head.name} = {self.mix} (the most: {self.label!r})"
        return f"{self.head.name} = {self.label!r} ({self.origin})"

    def value(self, of_class):
        """What a column gets: the label, or the share of a class."""
        return self.label if of_class is None else self.shares[self.head.classes.index(of_class)]


def fallback_of(head, wanted, predictions, form=None):
    """The Fallback of a head.

    Args:
        wanted: `majority` = the most frequent class of the training rows (of a multi-label head every class that half
            of them have), and as probabilities their mix; of predictions whose runs are not known, their own most
            frequent answer and mean. Else a class in any form, and as probabilities 1 for it and 0 for the others.
        form: how the template writes labels; None = not known.

    Raises:
        InputError: no class of the head.
    """
    if wanted != MAJORITY:
        try:
            label = label_meant(head, str(wanted), form)
        except InputError as error:
            raise InputError(f"fallback {error}; say majority or a class") from error
        return Fallback(head, label, head.encode([label])[0].astype(float), "as asked for", "1 for one class")
    mixes = [run["training_mix"][head.name] for run in provenance(predictions).get("runs", ()) if _tells(run, head)]
    if mixes:
        shares = np.mean([[float(mix[name]) for name in head.classes] for mix in mixes], axis=0)
        return Fallback(
            head,
            head.decode(shares[None])[0],
            head.settle_mix(shares),
            "most frequent in training",
            "the mix in training",
        )
    answers = np.nan_to_num(head.encode(predictions[head.name])).mean(axis=0)
    shares = head_scores(predictions, head).mean(axis=0)
    origin = "most frequent of these predictions, whose training rows are not known"
    return Fallback(head, head.decode(answers[None])[0], shares, origin, "the mean of these predictions")


def _tells(run, head):
    """Whether the record of a run says which mix of a head's classes it learned."""
    return set(head.classes) <= set(run.get("training_mix", {}).get(head.name, ()))
