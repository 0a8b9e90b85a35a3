"""The GitHub Actions workflow of a family: text made from a manifest, and kept up to date beside what people add.

``choices`` is what a person decides · ``filters`` says patterns in GitHub's words · ``quoting`` puts text into YAML ·
``triggers`` and ``jobs`` are the two parts that are made · ``parts`` finds them in a file and puts new ones in their
place · ``file`` reads and writes it.
"""
