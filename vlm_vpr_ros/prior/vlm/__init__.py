"""A vision-language model in a process of its own: asked where a frame was taken."""
