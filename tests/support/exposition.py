"""Metrics as Prometheus reads them: what a registry exposes, by name and labels."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Exposed:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}

    def __iter__(self) -> Iterator[Sample]:
        for family in self.families.values():
            yield from family.samples

    def value(self, name: str, **labels: str) -> float | None:
        """The value of a sample, or None where there is none with exactly these labels."""
        return self.all(name).get(tuple(sorted(labels.items())))

    def all(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The samples of this name, by their labels."""
        return {tuple(sorted(s.labels.items())): s.value for s in self if s.name == name}

    def counted(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Those that are not 0."""
        return {labels: value for labels, value in self.all(name).items() if value}


def exposed(registry: CollectorRegistry) -> Exposed:
    """Scrape a registry."""
    return Exposed(generate_latest(registry).decode())
