"""The GitHub Actions workflow of a family: text made from a manifest, and kept up to date beside what people add.

``choices`` is what a person decides · ``filters`` says patterns in GitHub's words · ``template`` fills in
``triggers.yml`` and ``jobs.yml`` · ``requirements`` says by hash what the jobs install · ``parts`` finds what is
made in a file and puts new text in its place · ``file`` reads and writes it.
"""
