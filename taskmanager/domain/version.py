"""Which release this is: servers tell it, so that half of a deployment is seen."""

VERSION = "0.1.0"
