"""Other job systems beside ours, in the same run on the same machine, each in an environment of its own."""
