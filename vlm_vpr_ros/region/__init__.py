"""The region index: geotagged descriptors on disk, ordered by geography. Format: docs/index.md."""
