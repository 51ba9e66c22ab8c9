"""What the teacher wants, as pure functions: standard library and `canvas.values` only."""
