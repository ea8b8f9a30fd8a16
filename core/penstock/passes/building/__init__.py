"""Making the graph of a spec, a part a file: texts, jobs, step kinds, components."""
