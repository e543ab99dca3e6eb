"""Measurements that anybody can repeat; README.md says what each means.

Does not: run with the tests, or need anything that is not started by it.
"""
