"""What theory says of a sweep, measured: bias and variance, curves against sample size. Pure functions of Fits."""
