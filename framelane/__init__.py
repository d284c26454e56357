"""What puts the parts together: the command line, the demo, the embedded broker."""
