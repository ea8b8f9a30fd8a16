"""`local`: steps are processes, and the document is the graph itself."""
