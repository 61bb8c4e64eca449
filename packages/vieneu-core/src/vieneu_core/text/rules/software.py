"""Versions, models of devices, files, identifiers and codes of computers."""

from __future__ import annotations

import re

from vieneu_core.text.rules.numerals import cardinal, digit_by_digit, said_number, spelled
from vieneu_core.text.rules.rewrite import Rewrite, rewrite

_VERSION_WORDS = (
    r"phiên bản|bản cập nhật|bản vá|bản|version|ver|firmware|phần mềm|core|supervisor|kernel|driver"
    r"|hệ điều hành|cập nhật(?: lên)?|nâng cấp(?: lên)?|update|add-?on|ứng dụng|app|build|release"
)
_SOFTWARE = (
    r"Home Assistant(?: (?:Core|OS|Supervised|Operating System))?|HA|HAOS|HASS|ESPHome|Zigbee2MQTT"
    r"|Z2M|ZHA|Node-?RED|Frigate|Tasmota|Mosquitto|InfluxDB|Grafana|Docker|Python|Debian|Ubuntu"
    r"|Raspbian|Linux|Windows|Android|iOS|iPadOS|macOS|watchOS|HomeKit|Matter|Thread|Zigbee"
    r"|Z-Wave|Bluetooth|USB|HDMI|Wi-?Fi|Node(?:\.js)?|Go|Rust|Java|PHP|MySQL|PostgreSQL|SQLite"
    r"|Redis|Nginx|Chrome|Firefox|Safari|Edge|Office|Photoshop|CUDA|PyTorch|VieNeu(?:-TTS)?|GPT"
    r"|Claude|Gemini|Llama|Qwen|Piper|Whisper|HACS|Proxmox|OpenWrt|RouterOS|DSM|TrueNAS|Unraid"
    r"|Scrypted|Jellyfin|Plex|Kodi|MQTT|TLS|HTTP|IPv"
)
_SUFFIX = r"(?:(?:-|\.)?(a|b|rc|alpha|beta|dev|stable|lts)[.-]?(\d{0,8}))?"
_SUFFIXES = {
    "a": "a",
    "b": "bê",
    "rc": "rờ xê",
    "alpha": "alpha",
    "beta": "beta",
    "dev": "dev",
    "stable": "stable",
    "lts": "lờ tê ét",
}
_DOTTED = r"(\d{1,5}(?:\.\d{1,6}){0,5})"
_IS_DATE = r"(?<!ngày )(?<!hôm )(?<!sáng )(?<!chiều )(?<!tối )(?<!Ngày )"
_NAMES = {"mini": "mini", "pro": "pro", "max": "max", "plus": "plus", "ultra": "ultra"}
_SIGNS = {
    "-": "gạch ngang",
    "_": "gạch dưới",
    ".": "chấm",
    "/": "gạch chéo",
    "\\": "gạch chéo ngược",
    "@": "a còng",
    "#": "thăng",
    "!": "chấm than",
    "$": "đô la",
    "%": "phần trăm",
    "^": "mũ",
    "&": "và",
    "*": "sao",
    "+": "cộng",
    "=": "bằng",
    "?": "hỏi chấm",
    "~": "ngã",
    ":": "hai chấm",
    ",": "phẩy",
    ";": "chấm phẩy",
    "(": "mở ngoặc",
    ")": "đóng ngoặc",
    "<": "nhỏ hơn",
    ">": "lớn hơn",
    "|": "gạch đứng",
}
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_FILE_TYPES = (
    r"ya?ml|json|txt|py|js|ts|html?|css|log|conf|cfg|ini|xml|csv|tsv|md|pdf|docx?|xlsx?|pptx?|zip"
    r"|rar|7z|tar|gz|tgz|mp3|mp4|wav|flac|ogg|m4a|mkv|avi|mov|jpe?g|png|gif|svg|webp|bmp|heic|db"
    r"|sqlite|sql|sh|bat|exe|apk|ipa|iso|img|bin|deb|rpm|service|env|toml|lock|bak|tmp|gguf|onnx"
    r"|safetensors|srt|epub|JPE?G|PNG|GIF|HEIC|MP[34]|MOV|PDF|DOCX?|XLSX?|PPTX?|ZIP|APK|TXT|CSV|WAV"
)
_TYPES_AS_WORDS = frozenset(
    ("yaml", "yml", "zip", "iso", "bin", "log", "tar", "env", "toml", "lock")
)
_ENTITIES = (
    r"sensor|binary_sensor|light|switch|climate|cover|media_player|automation|script|scene|person"
    r"|zone|input_(?:boolean|number|select|text|datetime|button)|fan|lock|camera|device_tracker"
    r"|weather|sun|timer|counter|notify|tts|vacuum|button|number|select|update|alarm_control_panel"
    r"|humidifier|group|calendar|todo|remote|siren|valve|water_heater|homeassistant"
    r"|persistent_notification"
)


def dotted(version: str) -> str:
    """Return a version in words: 2026.11.2 part by part, with "chấm" between."""
    return " chấm ".join(map(said_number, version.split(".")))


def characters(text: str) -> str:
    """Return the letters, digits and signs of a code one by one."""
    names = (_SIGNS.get(char) or spelled(char) or char for char in text)
    return " ".join(names)


def dictated(name: str) -> str:
    """Return a name of a computer's kind: words stay words, short numbers are numbers."""
    parts = re.findall(r"[A-Za-z]+|[^\W\d_A-Za-z]+|\d+|[^\w\s]|_", name)
    return " ".join(map(_part, parts))


def _part(part: str) -> str:
    if part in _SIGNS:
        return _SIGNS[part]
    if part.isdigit():
        return digit_by_digit(part) if len(part) > 2 or part[0] == "0" else cardinal(int(part))  # noqa: PLR2004 - one or two digits
    is_initials = part.isupper() and len(part) <= 3  # noqa: PLR2004 - IMG, DSC
    is_word = len(part) > 1 and _VOWEL.search(part) and not is_initials
    return part.lower() if is_word else spelled(part) or part


def _version(match: re.Match[str]) -> str:
    *before, number, suffix, more = match.groups()
    said = dotted(number)
    if suffix:
        said += f" {_SUFFIXES[suffix.lower()]}"
        said += f" {_build(more)}" if more else ""
    return f"{before[0]} {said}" if before and before[0] else f"phiên bản {said}"


def _build(digits: str) -> str:
    """Return the number of a pre-release; a date, as nightly ones have it, digit by digit."""
    is_long = len(digits) > 4  # noqa: PLR2004 - the year of a date has four
    return digit_by_digit(digits) if is_long or not digits else said_number(digits)


def _processor(match: re.Match[str]) -> str:
    """Read i7-13700K: the model's number as a number."""
    suffix = f" {spelled(match[4])}" if match[4] else ""
    return f"{match[1]} {said_number(match[2])} {cardinal(int(match[3]))}{suffix}"


def _model(match: re.Match[str]) -> str:
    return re.sub(r"\d+|[A-Za-z]+", _model_part, match[0]).replace("-", " ")


def _model_part(match: re.Match[str]) -> str:
    part = match[0]
    return f" {_NAMES.get(part.lower()) or _part(part) if part.isdigit() else spelled(part)} "


def _file(match: re.Match[str]) -> str:
    name, kind = match[1], match[2].lower()
    return f" {dictated(name)} chấm {_type(kind)} "


def _type(kind: str) -> str:
    return kind if kind in _TYPES_AS_WORDS else spelled(kind)


_PROCESSOR = re.compile(r"Ryzen|Core|Xeon|RTX|GTX|Radeon|RX|Ultra|Athlon|GeForce|i[3579]|CPU|chip")

VERSIONS: tuple[Rewrite, ...] = (
    # an add-on's build: 2.6.3-1
    rewrite(r"(?<![\w.])(\d{1,4}\.\d{1,2}\.\d{1,3})-(?=\d{1,2}(?![\w-]|\.\d))", r"\1 gạch ngang "),
    rewrite(
        rf"(?<!\w)((?i:phiên bản|bản cập nhật|bản vá|bản)) (?:v|ver"
        rf"|version)\.?\s?{_DOTTED}{_SUFFIX}(?![\w.]\d|\w)",
        _version,
    ),
    rewrite(
        rf"(?<!\w)(?<!\d )(?:v|ver|version)\.?\s?{_DOTTED}{_SUFFIX}(?![\w.]\d|\w)",
        _version,
        re.IGNORECASE,
    ),
    rewrite(
        rf"(?<!\w)((?i:{_VERSION_WORDS})(?: (?i:mới|mới nhất|số|là|hiện tại|hiện tại là))?) "
        rf"(?!\d{{1,3}}(?:\.\d{{3}})+(?!\.?\d))"
        rf"(\d{{1,5}}(?:\.\d{{1,6}}){{1,5}}){_SUFFIX}(?!\w|\.\d)",
        _version,
    ),
    rewrite(
        rf"(?<!\w)((?:{_SOFTWARE})(?:(?i: bản| phiên bản| lên| từ| to))?) (?!\d{{1,3}}"
        rf"(?:\.\d{{3}})+(?!\.?\d))"
        rf"(\d{{1,5}}(?:\.\d{{1,6}}){{1,5}}){_SUFFIX}(?!\w|\.\d)",
        _version,
    ),
    # Years first and full stops: a version, unless it follows "ngày"; 1.20.3, 2026.11.0b2
    rewrite(
        rf"(?<![\w.,/-]){_IS_DATE}((?:19|20)\d\d(?:\.\d{{1,2}}){{2,3}}){_SUFFIX}(?!\w|\.\d)",
        lambda m: dotted(m[1]) + (f" {_SUFFIXES[m[2]]} {_build(m[3])}" if m[2] else ""),
    ),
    # ... also behind the arrow or the word that joins two of them
    rewrite(
        r"(?<=lên )((?:19|20)\d\d\.(?:1[0-2]|[1-9]))(?!\w|\.\d)",
        lambda m: dotted(m[1]),
    ),
)
IDENTIFIERS: tuple[Rewrite, ...] = (
    # AA:BB:CC:DD:EE:FF, AA-BB-..., 0x1F, #FF5733, a UUID
    rewrite(
        r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])",
        lambda m: ", ".join(characters(part) for part in re.split("[:-]", m[0])),
    ),
    rewrite(
        r"(?<![\w-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])",
        lambda m: ", ".join(characters(part) for part in m[0].split("-")),
    ),
    rewrite(r"(?<!\w)0x([0-9A-Fa-f]{1,16})(?!\w)", lambda m: f"không ích {characters(m[1])}"),
    rewrite(
        r"(?<![\w#&])#(?=[0-9A-Fa-f]*\d)(?=\d*[A-Fa-f])([0-9A-Fa-f]{6})(?!\w)",
        lambda m: f"thăng {characters(m[1])}",
    ),
    # IPv6
    rewrite(
        r"(?<![\w:])(?=[0-9A-Fa-f:]{0,39}[A-Fa-f][0-9A-Fa-f:]{0,39})"
        r"(?:[0-9A-Fa-f]{1,4}:{1,2}){2,7}[0-9A-Fa-f]{1,4}(?![\w:])",
        lambda m: characters(m[0]),
    ),
    # sensor.nhiet_do_phong_khach
    rewrite(
        rf"(?<![\w.@/])((?:{_ENTITIES})\.[a-z0-9_]{{1,80}})(?!\w|\.\w)",
        lambda m: f" {dictated(m[1])} ",
    ),
    # config.yaml, IMG_1234.JPG, /config/www
    rewrite(
        rf"(?<![\w.@/\\])([\w-]{{1,60}}(?:\.[\w-]{{1,20}}){{0,3}})\.({_FILE_TYPES})(?![\w/]|\.\w)",
        _file,
    ),
    rewrite(
        r"(?<![\w./<])(?:~|\.{0,2})(?:/[A-Za-z0-9_.-]{1,40}){2,8}/?(?![\w/])",
        lambda m: f" {dictated(m[0].rstrip('/.'))} " + "." * m[0].endswith("."),
    ),
    rewrite(
        r"(?<!\w)([A-Z]):\\([\w\\. -]{1,80})",
        lambda m: f"ổ {spelled(m[1])} gạch chéo ngược {dictated(m[2])}",
    ),
    # a type alone: .srt; names with a point: llama.cpp, cache.enabled
    rewrite(rf"(?<![\w.])\.({_FILE_TYPES})(?!\w|\.\w)", lambda m: f" chấm {_type(m[1].lower())} "),
    rewrite(
        r"(?<![\w.@/])[a-z][a-z0-9]{2,30}(?:\.[a-z]{2,30}){1,3}(?![\w@/]|\.\w)",
        lambda m: f" {dictated(m[0])} ",
    ),
    # living_room, AUTO_MODE
    rewrite(
        r"(?<![\w.@])[a-zA-Z0-9]{1,30}(?:_[a-zA-Z0-9]{1,30}){1,8}(?![\w@]|\.\w)",
        lambda m: f" {m[0].replace('_', ' gạch dưới ')} ",
    ),
)
PROCESSORS: tuple[Rewrite, ...] = (
    rewrite(
        r"(?<=Ultra )([3579]) (\d{3})(KF|K)(?!\w)",
        lambda m: f"{m[1]} {cardinal(int(m[2]))} {spelled(m[3])}",
    ),
    # a television: 55X90L
    rewrite(
        r"(?<![\w.,-])(\d{2})X(\d{2,3})([A-Z])(?!\w)",
        lambda m: f"{cardinal(int(m[1]))} {spelled('x')} {cardinal(int(m[2]))} {spelled(m[3])}",
    ),
    rewrite(r"(?<!\w)([iI])([3579])-(\d{3,5})([A-Z]{0,3})(?!\w)", _processor),
    rewrite(
        r"(?<=[a-z\d] )(?<![\w.,])(\d{4,5})(X3D|XT|X|GE|G|U|HX|HS|H|F|KF|KS|K|Ti)(?!\w)",
        lambda m: (
            f"{cardinal(int(m[1]))} {'ti ai' if m[2] == 'Ti' else spelled(m[2])}"
            if _PROCESSOR.search(m.string, 0, m.start())
            else m[0]
        ),
    ),
)
MODELS: tuple[Rewrite, ...] = (
    rewrite(r"(?:(?<=Pro)|(?<=Max)|(?<=Plus))\+(?!\w)", " plus"),
    # DS920+
    rewrite(r"(?<!\w)([A-Z]{1,4}\d{2,4})\+(?!\w)", r"\1 plus"),
    # WH-1000XM5, SM-G998B, ESP32-S3, CC2652P, 5800X, TS-453D
    rewrite(
        r"(?<![\w.,-])(?!RON)(?=[A-Za-z]{0,5}-?\d)(?=[\w-]*\d-?[A-Z]"
        r"|[A-Z]{1,4}-[A-Z]{1,3}\d)[A-Z]{1,4}-?\d{1,5}(?:-?[A-Z]{1,3}\d{0,3}){1,2}(?![\w-])",
        _model,
    ),
    rewrite(r"(?<![\w.,-])[A-Z]{2,3}-[A-Z]{1,2}\d{1,4}[A-Z]{0,2}(?![\w-])", _model),
)
