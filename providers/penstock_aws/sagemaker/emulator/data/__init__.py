"""Object storage as one run sees it, and how its data comes into jobs and out of them."""
