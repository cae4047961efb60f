"""Pages of those who look after participants; blinded unless the role says otherwise."""
