"""From held-out drives to thresholds that hold, probabilities and ellipses that are true."""
