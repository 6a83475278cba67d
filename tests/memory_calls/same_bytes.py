"""Play random memory calls and print the digest of RAM after each sequence: equal in both modes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from direct import Direct
from scripts import Script

for bits in (64, 32):
    for seed in range(6):
        program = Direct(bits)
        answers = program.run(line for line in Script(bits, seed).make(200) if not line.startswith("number"))
        program.kernel.validate()
        print(bits, seed, len(answers), program.kernel.digest())
