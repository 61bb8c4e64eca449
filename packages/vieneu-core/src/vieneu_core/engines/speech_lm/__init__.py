"""Engines that speak in codes: a language model says them, a codec makes sound of them."""
