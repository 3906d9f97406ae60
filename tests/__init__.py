"""Tests, a package of that name, since another one may be installed."""
