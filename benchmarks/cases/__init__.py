"""The cases. A file's build functions take `torch`, which is our framework or PyTorch, and run the same code with both.

To add a case, write one more function in one of these files or in a new one; NOTES.md says what to mind.
"""
