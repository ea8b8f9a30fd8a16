"""Pydantic models of what a user writes. They check form alone; meaning is the passes' business."""
