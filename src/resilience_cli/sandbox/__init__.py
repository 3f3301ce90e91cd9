"""A local two-Region AWS to play with, rehearse against and test on: strict where moto is kind."""
