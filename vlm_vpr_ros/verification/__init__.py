"""Whether two images show the same rigid scene: local features, their matches, their geometry."""
