"""Names that Keras keeps to itself and that this package needs: each in one function, each with a test that tells when
it goes."""


def all_layers(model):
    """Every layer of a model, the model itself and those of models within it included."""
    return list(model._flatten_layers())


def is_leaf(layer):
    """Whether a layer holds no other layers."""
    return len(all_layers(layer)) == 1


def seed_generators(model):
    """The `keras.random.SeedGenerator`s of all layers of a model (dropout, augmentation), each once, in order."""
    found = (generator for layer in all_layers(model) for generator in getattr(layer, "_seed_generators", []))
    return list(dict.fromkeys(found))


def variable_index(optimizer, variable):
    """The place of a variable among those that an optimizer was built for."""
    return optimizer._get_variable_index(variable)
