"""Signals: what is pending, what a task does about it, and the frames that handlers run on.

    numbers    names, default actions, codes
    state      handlers of a process, masks and pending signals of a task
    frame_64, frame_32   the frames on the program's stack, and the way back
    floating   the state of x87 and SSE in them
    deliver    which signal a task gets next, and what happens then
"""
