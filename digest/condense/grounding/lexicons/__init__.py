"""Word lists that grounding needs, a file a language; `lexicon.Lexicon` says what each list is."""
