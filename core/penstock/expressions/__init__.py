"""`${{ … }}`: syntax tree, parser, types, evaluation. Knows no spec, no file and no target."""
