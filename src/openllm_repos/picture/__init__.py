"""The family for people to look at: a picture as SVG or Mermaid, and a page. Frozen values in, text out."""
