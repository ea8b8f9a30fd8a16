"""Object storage as S3's clients know it, over the buckets of a project."""
