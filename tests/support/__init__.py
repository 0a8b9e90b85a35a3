"""What the tests stand on: a sealed home, real repositories, a real git server, faults on demand.

Nothing here imitates git: repositories are made by git, served by `git http-backend`, and hurt by a program that
stands in front of git on the PATH and passes every other call through.
"""
