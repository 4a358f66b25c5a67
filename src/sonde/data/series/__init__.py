"""Time series: lengths and channels, scaling, guesses, and augmentation."""
