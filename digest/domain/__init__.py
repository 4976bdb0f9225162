"""Values and rules, standard library only: no input, no output, no clock."""
