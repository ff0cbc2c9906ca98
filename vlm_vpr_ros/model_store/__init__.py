"""Large models that users download by name: what there is, fetching, checking."""
