"""What stands for the environments that documents name: images, conda files, curated and registered names."""
