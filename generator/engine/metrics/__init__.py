"""What music measures: rhythm, melody, pitch, originality, calm; plain numpy on scores."""
