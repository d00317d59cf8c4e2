"""What client commands read from and write to a person's terminal; what they ask of a server is `tidemark_client`."""
