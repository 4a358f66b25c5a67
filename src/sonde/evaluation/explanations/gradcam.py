"""Grad-CAM (Selvaraju et al., 2017): where a convolutional network looks for a class.

Each map of the last convolution is weighed by the mean of the logit's gradient over it; what is left above zero of
their sum is where the class was found. It is coarse, as those maps are.
"""

# H height, W width (or T time alone), C maps

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def heat(maps_PC: NDArray[Any], slopes_PC: NDArray[Any]) -> NDArray[np.float64]:
    """Weigh the maps of one example by the gradient of a logit with respect to them.

    Args:
        maps_PC: the activations, H x W x C or T x C.
        slopes_PC: the gradient, of the same shape.

    Returns:
        H x W or T, from 0 to 1; zeros where nothing speaks for the class.
    """
    axes = tuple(range(maps_PC.ndim - 1))
    weights_C = slopes_PC.astype(np.float64).mean(axis=axes)
    heat_P = np.maximum(maps_PC.astype(np.float64) @ weights_C, 0.0)
    largest = float(heat_P.max(initial=0.0))
    return heat_P / largest if largest > 0 else heat_P


def spread(heat_P: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Enlarge a map to the size of the input, with straight lines between its places.

    Args:
        heat_P: H x W or T.
        shape: of the result: height and width, or time.
    """
    if len(shape) == 1:
        places = (np.arange(shape[0]) + 0.5) / shape[0] * len(heat_P) - 0.5
        return np.interp(places, np.arange(len(heat_P)), heat_P)
    image = Image.fromarray(heat_P.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float64)
