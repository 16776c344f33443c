//! Floor 1: the patch language: parsing, matching, applying to text. Files come in and go out as values.
