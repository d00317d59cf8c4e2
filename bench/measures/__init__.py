"""What is measured. A measure is a set of variants: each is one run, and gives the sample of its round."""
