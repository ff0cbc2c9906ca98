"""A coarse geographic prior: where on Earth a frame was probably taken."""
