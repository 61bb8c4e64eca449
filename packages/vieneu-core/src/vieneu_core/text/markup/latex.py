r"""LaTeX as plain mathematics: ``\frac{1}{2}`` is ``1/2``, ``x^{2}`` is ``x^2``.

The words for the signs are made later, for the language of the voice.
"""

from __future__ import annotations

import re
from collections.abc import Callable


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_SIGN_OF_EACH = (
    "times × cdot × ast × div ÷ pm ± mp ∓ le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ ne ≠"
    " neq ≠ approx ≈ sim ~ equiv ≡ propto ∝ lt < gt > ll ≪ gg ≫ to → rightarrow →"
    " leftarrow ← Rightarrow ⇒ implies ⇒ iff ⇔ infty ∞ Leftrightarrow ⇔ leftrightarrow ↔"
    " uparrow ↑ downarrow ↓ in ∈ notin ∉ subset ⊂ subseteq ⊆ cup ∪ cap ∩ emptyset ∅"
    " varnothing ∅ forall ∀ exists ∃ neg ¬ land ∧ lor ∨ wedge ∧ vee ∨ sum ∑ prod ∏ int ∫"
    " iint ∬ oint ∮ partial ∂ nabla ∇ angle ∠ perp ⊥ parallel ∥ degree ° circ ° prime '"
    " ldots ... cdots ... dots ... therefore ∴ checkmark ✓ alpha α beta β gamma γ delta δ"
    " epsilon ε zeta ζ varepsilon ε eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ"
    " pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ"
    " Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω"
)
_PARTS = _SIGN_OF_EACH.split()
SIGNS = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))
FUNCTIONS = _names(
    "arccos arcsin arctan arg cos cosh cot det dim exp gcd inf ker lg lim ln log max min mod sec"
    " sin sinh sup tan tanh"
)
TEXTS = _names(
    "bf boldsymbol boxed ce emph hbox mathbb mathbf mathcal mathit mathrm mathsf mbox operatorname"
    " overline overrightarrow tag text textbf textit textnormal textrm texttt underline vec hat bar"
    " tilde dot"
)
ARGUED = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sqrt", "binom"}) | TEXTS
"""Commands that take something in braces."""
_SPACES = {",", ";", ":", "!", " ", "quad", "qquad", "enspace", "thinspace"}
_SILENT = _names(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg displaystyle textstyle limits nolimits"
    " begin end hline nonumber label"
)
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_SIMPLE = re.compile(r"[\w.,√∛πα-ω]+(?:\^[\w]+)?")
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_DEEPEST = 20
_FACTORS = re.compile(r"(?<![^\W\d_])[a-z]{1,3}(?![^\W\d_])")
_MOST_FACTORS = 2
_UNITS = _names("m g l s h k cm mm km dm kg mg ml kw px ms gb mb or if in is of to và là")


def plain_math(latex: str) -> str:
    """Return a formula without LaTeX's commands; words and numbers are kept."""
    text = re.sub(r"\\begin\{[^{}]*\}(?:\{[^{}]*\})?|\\end\{[^{}]*\}", " ", latex)
    text = text.replace(r"\\", ", ").replace("&", " ")
    return re.sub(r"\s+", " ", _Reader(text).all()).strip()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._n_texts = 0  # commands around it whose letters are words

    def all(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            parts.append(self._until_brace())
            self._at += 1  # a brace too much
        return "".join(parts)

    def _until_brace(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] != "}":
            parts.append(self._next())
        return "".join(parts)

    def _next(self) -> str:
        char = self._text[self._at]
        if char == "{":
            return self._braces()
        if char == "\\":
            return self._command()
        if (factors := _FACTORS.match(self._text, self._at)) and not self._n_texts:
            return self._product(factors[0])
        self._at += 1
        if char == "^":
            return self._raised()
        if char == "_":
            return self._lowered()
        return " " if char in "~$" else char

    def _product(self, letters: str) -> str:
        """Return the letters of 2x and 4ac with spaces between; units and functions stay."""
        follows_number = self._text[self._at - 1 : self._at].isdigit()
        self._at += len(letters)
        if len(letters) > _MOST_FACTORS or letters in FUNCTIONS | _UNITS:
            return letters
        return " " * follows_number + " ".join(letters)

    def _braces(self) -> str:
        self._at += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            return ""
        inside = self._until_brace()
        self._depth -= 1
        self._at += 1
        return inside

    def _argument(self) -> str:
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        return self._next() if self._at < len(self._text) else ""

    def _raised(self) -> str:
        power = self._argument().strip()
        if power in {"°", "'"}:
            return power
        return f"^{_grouped(power)}" if power else ""

    def _lowered(self) -> str:
        below = self._argument().strip()
        return below if below.isdigit() or len(below) == 1 else f" {below} "

    def _command(self) -> str:  # noqa: PLR0911 - one for each kind of command
        found = _COMMAND.match(self._text, self._at)
        if found is None:
            self._at += 1
            return ""
        name = found[1]
        self._at = found.end()
        if name in SIGNS:
            sign = SIGNS[name]
            return sign if sign.isalpha() or sign in "°'" else f" {sign} "
        if name in _SPACES:
            return " "
        if name in _SILENT:
            return self._delimiter(name)
        if name in TEXTS:
            self._n_texts += 1
            text = self._argument()
            self._n_texts -= 1
            return text
        if (build := _BUILT.get(name)) is not None:
            return build(self)
        return f" {name} " if name.isalpha() else name

    def _delimiter(self, name: str) -> str:
        if name in {"left", "right"} and self._text[self._at : self._at + 1] == ".":
            self._at += 1
        return ""

    def fraction(self) -> str:
        above, below = self._argument().strip(), self._argument().strip()
        return f"{_grouped(above)}/{_grouped(below)}"

    def root(self) -> str:
        found = re.compile(r"\s*\[([^\[\]]*)\]").match(self._text, self._at)
        index = ""
        if found is not None:
            index, self._at = found[1].strip(), found.end()
        sign = _ROOTS.get(index, f"{index}√")
        return sign + _grouped(self._argument().strip())

    def choice(self) -> str:
        return f"C({self._argument().strip()}, {self._argument().strip()})"


_BUILT: dict[str, Callable[[_Reader], str]] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), _Reader.fraction),
    "sqrt": _Reader.root,
    "binom": _Reader.choice,
}


def _grouped(part: str) -> str:
    is_one = _SIMPLE.fullmatch(part) or len(part) == 1 or part.lstrip("-").isdigit()
    return part if is_one else f"({part})"
