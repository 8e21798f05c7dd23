"""The version, and of what torch is built with: nothing."""

cuda: str | None = None
hip: str | None = None
git_version: str | None = None
debug = False
