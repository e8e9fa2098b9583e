"""What people wrote before: the recipe of the reports this project grew from (DOMAIN 0.1), and the plain Keras way to
train a frozen base."""

import time

import cv2
import keras
import numpy as np
import tensorflow as tf
from keras import layers

SIZE, BATCH, EPOCHS, EVERY = 224, 32, 8, 7
IMAGENET_MEAN, IMAGENET_DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class OldBatches(keras.utils.PyDataset):
    """Photographs decoded again in every epoch with `load_img`; `change` turns RGB float `(224, 224, 3)` into what the
    network sees."""

    def __init__(self, rows, root, classes, change, shuffle=False):
        super().__init__()
        self.paths, self.labels = [root / path for path in rows["path"]], rows["label"].map(classes.index).to_numpy()
        self.change, self.shuffle, self.rng = change, shuffle, np.random.default_rng(0)
        self.order = np.arange(len(rows))

    def __len__(self):
        return -(-len(self.paths) // BATCH)

    def __getitem__(self, number):
        rows = self.order[number * BATCH : (number + 1) * BATCH]
        pictures = [keras.utils.load_img(self.paths[row], target_size=(SIZE, SIZE)) for row in rows]
        changed = [self.change(keras.utils.img_to_array(picture)) for picture in pictures]
        return np.stack(changed), self.labels[rows]

    def on_epoch_end(self):
        if self.shuffle:
            self.rng.shuffle(self.order)


def old_recipe(catalog, root, weights):
    """(validation accuracy, accuracy of the same pictures through its serving code) of the old recipe on MobileNet
    0.25."""
    keras.utils.set_random_seed(0)
    train, valid = (catalog[catalog["split"] == name] for name in ("train", "valid"))
    classes = sorted(set(train["label"]))
    some = [cv2.resize(cv2.imread(str(root / path)), (SIZE, SIZE)) for path in train["path"][::10]]
    mean_image = np.mean(some, axis=0)  # BGR, as OpenCV reads
    rng = np.random.default_rng(0)
    base = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    base.load_weights(weights)
    base.trainable = False
    model = keras.Sequential([base, layers.Flatten(), layers.Dense(len(classes), "softmax")])
    model.compile(
        keras.optimizers.AdamW(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    halve = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 * 0.5 ** ((1 + epoch) // EVERY))
    trained = OldBatches(train, root, classes, lambda picture: _augmented(picture, rng) - mean_image, shuffle=True)
    judged = OldBatches(valid, root, classes, lambda picture: picture - mean_image)
    history = model.fit(trained, validation_data=judged, epochs=EPOCHS, callbacks=[halve], verbose=0).history

    def as_served(picture):
        return (picture - IMAGENET_MEAN) / IMAGENET_DEVIATION - mean_image

    served = OldBatches(valid, root, classes, as_served)
    return max(history["val_accuracy"]), model.evaluate(served, verbose=0)[1]


def _augmented(picture, rng):
    """Rotation 40°, shifts and shear .2, zoom .2, brightness .3 to 1.5, flip: as its ImageDataGenerator was set."""
    angle, zoom, shear = np.deg2rad(rng.uniform(-40, 40)), rng.uniform(0.8, 1.2), np.deg2rad(rng.uniform(-0.2, 0.2))
    flip = -1 if rng.random() < 0.5 else 1
    across, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle + shear), np.cos(angle + shear)])
    matrix = np.column_stack([flip * across, down]) * zoom
    centre = SIZE / 2
    shift = centre + rng.uniform(-0.2, 0.2, 2) * SIZE - matrix @ [centre, centre]
    warped = cv2.warpAffine(picture, np.column_stack([matrix, shift]), (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(warped * rng.uniform(0.3, 1.5), 0, 255)


def naive_fit(catalog, root, row, scalings, epochs, *, whole, stock):
    """Wall seconds of `epochs` epochs of `fit` through a frozen base with validation, model build included.

    Args:
        row, scalings: of `BACKBONES` and `SCALINGS`.
        whole: time all epochs; False = the first two, of which the second is taken for the rest.
        stock: `image_dataset_from_directory` and prefetch instead of a PyDataset with `load_img` on one worker.
    """
    keras.backend.clear_session()
    started = time.perf_counter()
    train, valid = (catalog[catalog["split"] == name] for name in ("train", "valid"))
    classes = sorted(set(train["label"]))
    base = getattr(keras.applications, row.application)(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), **row.arguments
    )
    base.trainable = False
    image = layers.Input((SIZE, SIZE, 3))
    features = layers.GlobalAveragePooling2D()(base(scalings[row.scaling](image), training=False))
    answer = layers.Dense(len(classes), "softmax")(features)
    model = keras.Model(image, answer)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    batches = _stock if stock else _plain_batches
    learned, judged = (batches(part, root, classes) for part in (train, valid))
    if whole:
        model.fit(learned, validation_data=judged, epochs=epochs, verbose=0)
        return time.perf_counter() - started
    model.fit(learned, validation_data=judged, epochs=1, verbose=0)
    first = time.perf_counter()
    model.fit(learned, validation_data=judged, epochs=1, verbose=0)
    return first - started + (epochs - 1) * (time.perf_counter() - first)


def _plain_batches(rows, root, classes):
    return OldBatches(rows, root, classes, lambda picture: picture, shuffle=True)


def _stock(rows, root, classes):
    """What `image_dataset_from_directory` builds: files read, decoded and resized in tf.data, prefetched."""
    paths, labels = [str(root / path) for path in rows["path"]], rows["label"].map(classes.index).to_numpy()

    def read(path, label):
        pixels = tf.io.decode_image(tf.io.read_file(path), 3, expand_animations=False)
        return tf.image.resize(pixels, (SIZE, SIZE)), label

    data = tf.data.Dataset.from_tensor_slices((paths, labels)).map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return data.batch(BATCH).prefetch(tf.data.AUTOTUNE)
