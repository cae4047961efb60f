"""The generator's verbs: ask for music (`requesting`, anywhere), make it (`rendering`, workers)."""
