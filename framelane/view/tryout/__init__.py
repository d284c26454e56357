"""The try-out: operators with other parameters on the live frame, in a process of their own."""
