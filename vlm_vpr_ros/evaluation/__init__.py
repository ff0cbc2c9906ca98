"""How good the answers are: metrics, reports, maps."""
