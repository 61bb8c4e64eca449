"""Long jobs: a text, subtitles or a dialogue become one file, however long that takes."""
