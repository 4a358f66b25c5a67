"""What is simple and reads an example: features and classical models of each modality, shared by the answers."""
