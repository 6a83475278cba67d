"""What the document promises, as state: each part follows the calls of its functions and judges the answers."""
