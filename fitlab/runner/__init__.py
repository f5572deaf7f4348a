"""The runner: from a Document to a Sweep. It owns the only loop; running again is resuming."""
