"""The analysis plan: proposed from the protocol, chosen, locked before anybody sees an arm."""
