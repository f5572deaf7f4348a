"""Weights and biases: what can be read from them. Functions of arrays and of Fits; nothing here trains or draws."""
