"""The program whose allocations are in count_words.mtrace.xz: the most frequent words of a text."""

import sys

places: dict[str, list[tuple[int, int]]] = {}
with open(sys.argv[1], encoding="utf-8") as text:
    for row, line in enumerate(text):
        for column, word in enumerate(line.lower().split()):
            places.setdefault(word.strip(".,;:()\"'"), []).append((row, column))
for word in sorted(places, key=lambda word: -len(places[word]))[:10]:
    print(len(places[word]), word)
