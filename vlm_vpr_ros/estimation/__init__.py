"""From candidates to a position, its covariance, and the decision to give an answer."""
