"""Puts word vectors into the embeddings of a fresh model; `data.text.vectors` reads them from files."""

# V tokens, D width

import keras
import numpy as np
from numpy.typing import NDArray

from sonde.errors import ModelError


def begin_with_vectors(model: keras.Model, vectors_VD: NDArray[np.float32]) -> None:
    """Let the embeddings of a fresh model begin with word vectors that others have trained.

    Args:
        model: what `build` returned.
        vectors_VD: one for each number of the vocabulary.

    Raises:
        ModelError: the model has no embeddings of tokens, or they are of another width.
    """
    tables = [each for each in model.layers if isinstance(each, keras.layers.Embedding) and each.output_dim > 1]
    tokens = next((each for each in tables if each.input_dim == len(vectors_VD)), None)
    if tokens is None:
        raise ModelError(f"The model '{model.name}' has no embeddings of tokens, which text.vectors could be put into.")
    if tokens.output_dim != vectors_VD.shape[1]:
        raise ModelError(
            f"The word vectors have {vectors_VD.shape[1]} numbers and the embeddings of '{model.name}' "
            f"{tokens.output_dim}. Set the model's width of a token to {vectors_VD.shape[1]}, such as "
            f"--set model.embedding={vectors_VD.shape[1]} (textcnn, rnn) or "
            f"--set model.width={vectors_VD.shape[1]} (bag, transformer)."
        )
    tokens.embeddings.assign(vectors_VD)
