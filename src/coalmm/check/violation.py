"""What a check finds: something that the document does not allow."""


class Violation(Exception):
    """The document's promise `kind` was broken.

    `condition` is a C expression that is false where it happens, in which $7 stands for the value that operation 7
    gave and $7.1 for word 1 of the structure that it filled; "" where the process itself ended.
    """

    def __init__(self, kind: str, message: str, condition: str = "", sentence: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.condition = condition
        self.sentence = sentence


class Illegal(Exception):
    """A sequence that the document does not allow: nothing follows from what it does."""
