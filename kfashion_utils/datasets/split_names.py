"""Which split a folder's name states: `train`, `1.Training`, `training_set`, `seg_test`, `val2017`, `train_images`."""

import re

SPLIT_FOLDERS = {  # in lower case: names that state a split wherever they stand
    "train": "train",
    "training": "train",
    "1.training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "2.validation": "valid",
    "test": "test",
    "testing": "test",
}
SPLIT_WORDS = {
    **{name: split for name, split in SPLIT_FOLDERS.items() if name.isalpha()},
    "dev": "valid",
    "pred": "test",  # pictures to be answered: `seg_pred`
    "prediction": "test",
    "학습": "train",
    "훈련": "train",
    "검증": "valid",
    "테스트": "test",
    "시험": "test",
}
FILLERS = {  # words beside a split's that say nothing about the pictures
    "set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "picture", "pictures", "photo",
    "photos", "jpegimages", "seg", "split", "folder", "jpg", "jpeg", "jpegs", "png", "raw", "all",
    "데이터", "이미지", "사진",
}  # fmt: skip
CONTAINERS = FILLERS | {"원천데이터"}  # of these words alone: folders around classes
WORDS = re.compile(r"[a-z]+|[가-힣]+")
GLUED = re.compile(rf"({'|'.join(sorted(SPLIT_WORDS, key=len, reverse=True))})({'|'.join(sorted(FILLERS))})")


def stated_split(name):
    """The split that a folder's name states and nothing else with it; empty = none."""
    name = name.strip().lower()
    if name in SPLIT_FOLDERS:
        return SPLIT_FOLDERS[name]
    words = [part for word in WORDS.findall(name) for part in _parted(word)]
    splits = [SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS]
    others = [word for word in words if word not in SPLIT_WORDS and word not in FILLERS]
    return splits[0] if len(splits) == 1 and not others else ""


def is_container(name):
    """Whether a folder's name only says that pictures are in it (`images`, `data`, `JPEGs`)."""
    words = WORDS.findall(name.strip().lower())
    return bool(words) and all(word in CONTAINERS for word in words)


def _parted(word):
    """`trainset` -> train, set; other words as they are."""
    match = GLUED.fullmatch(word)
    return match.groups() if match else (word,)
