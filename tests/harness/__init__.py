"""What tests and the demo share: real processes, a real Secrets Manager API, the real emulator. No test is in here."""
