"""What `make bench` measures launches against: PyLTI1p3's own Django example, as its documentation has it."""
