"""headerset: sets for header de-identification with an answer key, from a seed.

    scripts/headerset SEED OUT [--style a|b]

Same format as shared/devset (data/, key/instances.jsonl, key/patients.json,
key/checks.jsonl), so the devset's score.py scores it. Unlike it in names,
scripts, layouts, private blocks, texts and kinds of object. Everything is
invented; pictures are 32 x 32 ramps without text, so a run is about headers.

- `people.py`   who: names of 20 origins in their character sets, IDs of many shapes
- `style_a.py`, `style_b.py`   disjoint word lists: names, clinical texts, templates
- `plant.py`    where identity is put into a text, and which words must go and stay
- `record.py`   an instance under construction and its checks
- `common.py`   patient, study, series, equipment, nested and private attributes
- `images.py`, `documents.py`   the modules of each kind of object

A removed word that the text to keep also contains is no claim (`plant.removable`),
and a name that is an ordinary word of a text to keep is no token of `phi_leak`.
"""
