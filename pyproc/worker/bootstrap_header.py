"""Writes bootstrap.h: the text of bootstrap.py without its comments, as a C++ string."""

import io
import sys
import tokenize


def without_comments(text: str) -> str:
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip()) + "\n"


def main(source: str, target: str) -> None:
    with open(source, encoding="utf-8") as file:
        text = without_comments(file.read())
    compile(text, source, "exec")
    if ')clutch"' in text:
        raise SystemExit("bootstrap.py must not hold the end of the raw string it becomes")
    with open(target, "w", encoding="utf-8") as file:
        file.write("// Made from bootstrap.py: the Python text that a worker's interpreter runs with -I -c.\n"
                   "#pragma once\n\nnamespace clutch::pyproc {\n\n"
                   f'inline constexpr char kBootstrap[] = R"clutch({text})clutch";\n\n'
                   "}  // namespace clutch::pyproc\n")


main(sys.argv[1], sys.argv[2])
