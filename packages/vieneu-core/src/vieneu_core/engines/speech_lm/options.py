"""Options of the engines with speech codes, as in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vieneu_core.engines.speech_lm.model import CodeModelSettings, Sampling
from vieneu_core.errors import ModelLoadError
from vieneu_core.models.catalogue import PromptFormat
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
    """None: the format of the known model, else plain."""
    emotion: Literal["natural", "none"] = Field(default="natural", description="natural or none")
    """Whether each sentence begins with the model's token for natural speech."""
    temperature: float = Field(default=1.0, ge=0, le=5, description="a number from 0 to 5")
    top_k: int = Field(default=50, ge=1, le=1000, description="a number from 1 to 1000")
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

    def settings(self, known: PromptFormat | None) -> CodeModelSettings:
        """Return the parameters of the model."""
        return CodeModelSettings(
            format=self.format or known or PromptFormat.PLAIN,
            emotion="<|emotion_0|>" if self.emotion == "natural" else "",
            sampling=Sampling(temperature=self.temperature, top_k=self.top_k, seed=self.seed),
            n_context=self.context,
            threads=self.threads,
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
