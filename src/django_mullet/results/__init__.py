"""What endpoints return, turned into what their response models show."""
