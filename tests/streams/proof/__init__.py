"""Random streams, the jobs that they run through, and the comparison with the models."""
