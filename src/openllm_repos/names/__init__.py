"""Names parsed once, or refused: object ids, refs, paths, URLs, patterns. Import each from its own module."""
