"""Draws frames with burned-in text and scores what a cleaner did to them.

    python -m frameset SEED OUT [--count N]     OUT/data and OUT/key
    python -m frameset.score OUT CLEANED --report R.json [--sheet FAILURES.png]

Everything is invented: the persons (Faker), the backgrounds (noise, phantoms),
the layouts (after the styles of several vendors, none of them copied). The set
is for measuring only; the product is never fitted to what stands here.

A line is made of segments, each of one class and one expectation:
hide    it identifies, in the header or not; its glyphs must not be readable
keep    a clinical label, a measurement, a scale; its glyphs must be as before
either  a field's name, a time without a date, an age under 90: reported only
"""
