"""The LSTM-ACM network: torch for training, numpy for composing, safetensors on disk."""
