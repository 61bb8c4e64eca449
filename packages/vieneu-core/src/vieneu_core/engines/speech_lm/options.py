"""Options of the engines with speech codes, as in the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vieneu_core.engines.speech_lm.attempts import ATTEMPTS
from vieneu_core.engines.speech_lm.model import (
    CodeModelSettings,
    PromptStyle,
    ReferencePrompt,
    Sampling,
)
from vieneu_core.engines.speech_lm.prompt_style import NATURAL
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import KnownModel, PromptFormat
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reason_of

DEFAULT_ENCODER, DEFAULT_FEATURES = "neucodec", "w2v-bert-2.0"
"""Names in `vieneu_core.models.catalogue`."""

ModelName = Annotated[
    str,
    Field(min_length=1, description="a known model, an absolute path, or REPO:FILE@REVISION"),
]


class CodeOptions(BaseModel):
    """Common options of gguf and pytorch. Descriptions complete "Write …"."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: ModelName
    codec: ModelName
    voices: Path | None = Field(default=None, description="the path of a voices.json")
    """File of the preset voices; None means the one beside the model."""
    format: PromptFormat | None = Field(default=None, description="chat or plain")
    """None: that of the known model; for another one the likeliest, found when it is loaded."""
    emotion: Literal["auto", "natural", "none"] = Field(
        default="auto", description="auto, natural or none"
    )
    """Whether each sentence begins with the token for natural speech. auto: as for `format`."""
    temperature: float = Field(default=1.0, ge=0, le=5, description="a number from 0 to 5")
    top_k: int = Field(default=50, ge=1, le=1000, description="a number from 1 to 1000")
    """Only so many of the likeliest codes are drawn."""
    top_p: float | None = Field(
        default=None, ge=0.01, le=1, description="a number from 0.01 to 1, where 1 is off"
    )
    """Only the likeliest codes that together have this probability are drawn."""
    min_p: float | None = Field(
        default=None, ge=0, le=1, description="a number from 0 to 1, where 0 is off"
    )
    """Only codes that are at least so likely, compared with the likeliest one, are drawn."""
    min_codes: int = Field(default=0, ge=0, le=1000, description="a number from 0 to 1000")
    """A sentence does not end before so many codes, a short one before those that are usual."""
    seed: int | None = Field(default=None, ge=0, description="a number")
    """The same requests in the same order sound the same each time."""
    context: int = Field(default=2048, ge=256, le=32_768, description="a number from 256 to 32768")
    """Tokens of voice, sentence and speech together; a second of speech has 50."""
    threads: int = Field(default=0, ge=0, le=1024, description="a number, 0 for one for each core")
    offline: bool = Field(default=False, description="true or false")
    """Never use the network."""
    cache: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        default=None, description="the path of a folder"
    )
    """Folder of models and codes; None means the default one."""
    encoder: ModelName = DEFAULT_ENCODER
    """Encodes the clips from which voices are cloned; needs PyTorch."""
    encoder_features: ModelName = DEFAULT_FEATURES
    """Feature extractor of the encoder."""

    def styles(self, known: KnownModel | None) -> tuple[PromptStyle, ...]:
        """Return the possible styles of the prompt, upstream's for an unknown model first."""
        return tuple(
            PromptStyle(format=form, emotion=NATURAL if emotion else "")
            for form in self._formats(known)
            for emotion in self._emotions(known, form)
        )

    def _formats(self, known: KnownModel | None) -> tuple[PromptFormat, ...]:
        if self.format is not None:
            return (self.format,)
        if known is not None and known.prompt is not None:
            return (known.prompt,)
        return (PromptFormat.PLAIN, PromptFormat.CHAT)

    def _emotions(self, known: KnownModel | None, form: PromptFormat) -> tuple[bool, ...]:
        if self.emotion != "auto":
            return (self.emotion == "natural",)
        if known is not None:
            return (known.emotion,)
        return (True, False) if form is PromptFormat.PLAIN else (False, True)

    def settings(
        self, known: KnownModel | None, sample: Callable[[], ReferencePrompt | None]
    ) -> CodeModelSettings:
        """Return the parameters of the model.

        Args:
            known: Its entry in the catalogue.
            sample: Returns one of its voices, which decides where several styles are possible.
        """
        first, *others = self.styles(known)
        return CodeModelSettings(
            format=first.format,
            emotion=first.emotion,
            alternatives=tuple(others),
            sample=sample() if others else None,
            sampling=self._sampling(),
            n_context=self.context,
            threads=self.threads,
        )

    @property
    def attempts(self) -> int:
        """Largest number of times that a sentence is drawn: at temperature 0 all are alike."""
        return 1 if self.temperature == 0 else ATTEMPTS

    def _sampling(self) -> Sampling:
        return Sampling(
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            min_p=self.min_p,
            min_codes=self.min_codes,
            seed=self.seed,
        )


OptionsT = TypeVar("OptionsT", bound=BaseModel)


def parse_options(kind: type[OptionsT], engine: str, options: Mapping[str, object]) -> OptionsT:
    """Check the options of an engine.

    Raises:
        ModelLoadError: an option is invalid; the message contains the remedy.
    """
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "options"
    field = kind.model_fields.get(name)
    if field is None:
        known = ", ".join(kind.model_fields)
        raise ModelLoadError(
            Translatable("The engine {engine} has no option {name!r}.", engine=engine, name=name),
            remedy=Translatable("It has: {known}.", known=known),
        )
    raise ModelLoadError(
        Translatable(
            "The option {name} of the engine {engine} is wrong: {first}.",
            name=name,
            engine=engine,
            first=reason_of(first),
        ),
        remedy=Translatable("Write {description}.", description=field.description),
    )
