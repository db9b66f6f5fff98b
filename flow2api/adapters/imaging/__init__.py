"""Looks at pictures and videos in worker processes that have little memory, little time and no secrets.

This module imports nothing: the worker processes load it too.
"""
