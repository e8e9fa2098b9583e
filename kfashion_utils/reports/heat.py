"""Where the network looked on a few pictures of a report."""

from html import escape

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.plots.pictures import overlay_heat
from kfashion_utils.reports.page import card, element, lines, section
from kfashion_utils.reports.pictures import judge_answers, thumbnail, verdict
from kfashion_utils.reports.wording import both, counted, percent

HEATED = 8  # pictures with their heat, half confident mistakes, half right answers
SEED = 0  # of the drawn pictures
EXPLAINED = (
    "Each picture beside its heat: bright is what speaks for the answer "
    "(Grad-CAM: the last maps of the network, weighted by what they do for the answer)."
)
OF_FINAL_MODEL = "The answers are out of fold, the heat is of the final model, which has learned from these pictures."
NO_POLYGON = "None of these pictures has a polygon, so the share of the heat on garments is unknown."


def find_heat(parts):
    """An `Explanation` of a few answers of the first judged head, confident mistakes first, and their rows of
    `judge_answers` by id.

    Raises:
        InputError: no weights, a backbone without a map, no readable picture; Keras cannot be loaded.
    """
    parts.run.weights  # noqa: B018 - before Keras is loaded in vain
    try:
        from kfashion_utils.training.explanation import explain
    except ImportError as error:
        raise InputError(f"Keras cannot be loaded here ({error})") from error
    name = next(iter(parts.judged))
    answers = judge_answers(parts)
    answers = answers[answers["head"] == name].set_index("id")
    chosen = _choose(answers)
    rows = parts.catalog.drop_duplicates("id").set_index("id", drop=False).loc[chosen].reset_index(drop=True)
    given = parts.averaged(parts.head(name))
    return explain(parts.run, rows, parts.root, head=name, predictions=given), answers.loc[chosen]


def _choose(answers):
    """Ids of confident mistakes, then of drawn right answers, a list; `answers` are those of one head, by id."""
    right = answers["right"].astype(bool)
    mistakes = answers[~right].sort_values("confidence", ascending=False, kind="stable").index[: HEATED // 2].tolist()
    others = sorted(answers.index[right])
    order = np.random.default_rng(SEED).permutation(len(others))[: HEATED - len(mistakes)]
    return mistakes + [others[number] for number in order]


def where_it_looked(parts):
    """The section with Grad-CAM."""
    if parts.heat is None:
        return ""
    explanation, answers = parts.heat
    text = f"{EXPLAINED} {_on_garments(explanation.table)}"
    if parts.run.split == "all":
        text += f" {OF_FINAL_MODEL}"
    rows = explanation.table.to_dict("records")
    found = zip(rows, explanation.pictures, explanation.heats, strict=True)
    cards = [_card(row, answers.loc[row["id"]], picture, heat) for row, picture, heat in found]
    return section("Where it looked", lines(element("p", text), element("div", "".join(cards), "cards heat")))


def _on_garments(found):
    """How much of the heat lies on garments, in a sentence; of a table of `explain`."""
    known = found[found["on_garments"].notna()]
    if known.empty:
        return NO_POLYGON
    heat, area = percent(known["on_garments"].mean()), percent(known["garment_area"].mean())
    return (
        f"In {counted(len(known), 'picture')} with polygons <b>{heat}</b> of the heat lies on the garments, "
        f"which cover {area} of the area; heat spread evenly would have no more than that there."
    )


def _card(row, answer, picture, heat):
    """A picture beside its heat; `row` of a table of `explain`, `answer` of `judge_answers`."""
    said = verdict(answer["right"], f"{both(row['class'])} {row['probability']:.2f}", answer["truth"])
    if not np.isnan(row["on_garments"]):
        said += element("p", f"{row['on_garments']:.0%} of the heat on {row['garment_area']:.0%} of the area")
    original = thumbnail(picture, f"explained {row['id']}")
    heated = thumbnail(overlay_heat(picture, heat), f"heat {row['id']}")
    caption = said + element("small", escape(str(row["id"])))
    return card(bool(answer["right"]), element("div", original + heated, "pair"), caption)
