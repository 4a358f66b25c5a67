"""Images: decoding files, sizes and colours, guesses, and augmentation."""
