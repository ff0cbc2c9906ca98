"""The node at work: a drive is replayed to it, and a client asks where the robot is."""
