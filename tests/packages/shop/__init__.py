"""What the project sells, and one module for each package."""
