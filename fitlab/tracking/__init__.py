"""MLflow: the only modules that import it, and the only writer. Import the module that you need."""
