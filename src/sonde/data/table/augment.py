"""Augmentations of rows of a table: there is none that would leave the answer the same for every column."""

from sonde.data.augment.augmentation import Augmentation

TABLE: dict[str, Augmentation] = {}
"""Empty. A number that is noise in one column is the answer in the next, so nothing is changed unasked; dropout
(model.dropout) and weight decay do here what augmentation does elsewhere."""
