"""How often verdicts are right: families of problems whose truth is known, sweeps drawn from them, rules judged."""
