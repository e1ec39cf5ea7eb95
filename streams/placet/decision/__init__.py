"""What is said: the life of an intent, and the desk that moves every intent of one partition along it. Pure."""
