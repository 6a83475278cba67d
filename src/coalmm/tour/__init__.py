"""The guided tour of `coalmm demo`: a machine does something, and the bytes that it changed are shown.

`steps` has the steps in order, one function each; `pieces` draws what they show; `changes` finds what
changed in RAM. Every number shown is read from the machine.
"""
