"""What stands for an image offline: environments, the training toolkit, algorithms, pip."""
