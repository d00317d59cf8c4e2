"""The clients under faults: programs that publish and follow by them, behind a proxy that does what networks do."""
