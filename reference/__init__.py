"""What the documentation says of the code's own tables, made of these tables."""
