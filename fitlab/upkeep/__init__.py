"""Looking after a store: what is wrong with it and can be mended, which Fits no sweep uses, whether one comes again."""
