"""The compiled part; :mod:`cheq` is the way in."""
