"""The Azure ML target: pipeline-job and component YAML, how a graph is lowered to it, how it is checked."""
