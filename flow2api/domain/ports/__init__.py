"""What the inside needs from the outside, by need.

A port that plugins implement never gains a method; a new ability is a new small protocol beside it.
"""
