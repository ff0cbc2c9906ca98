"""From an image to the references that resemble it."""
