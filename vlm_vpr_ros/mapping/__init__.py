"""From recordings to a region index."""
