"""A cache of finished speech on disk: each sentence that the chosen voice has said is replayed.

An announcement that was spoken while the GPU was there sounds the same later, at once and offline.
`CachedBackend` wraps the router, and is a backend itself. The router asks it for each sentence
before it asks any backend: so the order is chosen voice, what it has said before, fallbacks.

By sentence, not by text: an engine speaks each sentence by itself, so nothing is lost, and more is
found. The greeting before another temperature, the text of a language model that comes in pieces,
and the rest of an announcement in which the chosen backend dies are replayed in its voice; another
voice speaks the sentences alone that it never said.

The key. Two requests share an entry only where the chosen backend would speak them alike: the same
engine, model, version and options (`Identity`), the same voice, language, speed and watermark, and
the same sentence, as the backend gets it. A voice that was added counts by its clip: one
that was replaced under the same name is another voice. A default voice counts as the voice that it
stands for: the one of the settings, else the one that was last heard from this backend in this
language. Asking a server for it would cost a request of the tunnel's quota for each announcement.

The identity. It has to be known before anything is spoken, and also where the chosen backend is
away. It comes from the router's status, which costs no request, and the last one of each backend is
kept in the folder. It says what the *chosen* backend would speak with, never what the active one
would: while a fallback is active, the announcements of the chosen voice are still found. A local
identity holds only as long as the settings name the same engine and options; a remote one until the
server reports another. So a server that got another model while it was away is noticed at the first
health check, and until then what it said before is replayed: that is what offline means.

What is stored. Sentences that came to their end, from the chosen backend and voice, none from a
fallback. Each names its model (`Speaker.model`), so that a server that was restarted with another
model is not stored under the old one's name. Not what was cut off, cancelled or failed; nothing of
a text that is too long for an announcement; no sentence that takes more than a fiftieth of the
cache.

How. FLAC, which is without loss, with the sentences and their speakers, under a checksum; what is
damaged is removed and spoken anew. The library diskcache keeps the entries in one SQLite file:
nothing is half written after a kill, and processes may share it. Its pickles are switched off, both
ways: a file that somebody else wrote must not become code. The folder is for its owner alone.
Whatever is wrong with the disk, speech goes on without the cache.
"""

from vieneu_core.speech_cache.backend import CachedBackend
from vieneu_core.speech_cache.cache import CacheStats, SpeechCache
from vieneu_core.speech_cache.identity import Chosen, Identity, chosen_by, chosen_of, digest_of

__all__ = [
    "CacheStats",
    "CachedBackend",
    "Chosen",
    "Identity",
    "SpeechCache",
    "chosen_by",
    "chosen_of",
    "digest_of",
]
