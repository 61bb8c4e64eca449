"""Names of tags in HTML, in SSML, and in what language models write, by what becomes of them."""

from __future__ import annotations


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


PARAGRAPHS = _names(
    "address article aside blockquote body center details dialog div dl fieldset figure footer form"
    " h1 h2 h3 h4 h5 h6 head header hr html main nav ol p pre section speak table ul"
)
"""A blank line stands for each."""
LINES = _names("br caption dd dt figcaption legend li optgroup option s-break summary title tr")
"""A line break stands for each."""
CELLS = _names("audio break button td th textarea video")
"""A short pause stands for each: of a table's row, or of speech."""
INLINE = _names(
    "a abbr acronym amazon:domain amazon:effect amazon:emotion area b base bdi bdo big canvas cite"
    " code col colgroup data datalist del desc dfn em embed emphasis figure font i iframe img input"
    " ins kbd label lang lexicon link map mark meta meter mstts:express-as mstts:silence noscript"
    " object output param paragraph phoneme picture progress prosody q rb rp rt ruby s samp say-as"
    " select sentence slot small source span strike strong sub sup tbody tfoot thead time token"
    " track tt u var voice w wbr"
)
"""Nothing stands for them."""
REASONING = _names(
    "antthinking analysis inner_monologue reasoning reflection scratchpad think thinking thought"
    " thoughts"
)
"""What a language model wrote to itself; left out with what they hold."""
UNSPOKEN = REASONING | _names(
    "function_call function_calls script style svg template tool_call tool_calls tool_response"
    " tool_result"
)
"""Left out with what they hold."""
KNOWN = PARAGRAPHS | LINES | CELLS | INLINE | UNSPOKEN
BOOLEAN = (
    "allowfullscreen|async|autofocus|autoplay|checked|controls|crossorigin|default|defer|disabled"
    "|download|formnovalidate|hidden|inert|ismap|itemscope|loop|multiple|muted|nomodule|novalidate"
    "|nowrap|open|playsinline|readonly|required|reversed|selected"
)
"""Attributes without a value."""
