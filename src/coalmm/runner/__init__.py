"""One run from the command line, in a process of its own.

    arguments  the command line in its plain form
    program    options -> a machine with the program loaded
    session    signals of the terminal, time limit, report, exit status
"""
