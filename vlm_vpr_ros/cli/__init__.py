"""The `vlm_vpr` command."""
