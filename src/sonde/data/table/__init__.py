"""Tables: columns and their kinds, scaling, guesses, and augmentation."""
