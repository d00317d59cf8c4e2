"""The baselines that Tidemark is compared with, as ASGI apps."""
