"""What a run did to memory: kept while programs run, told afterwards.

    recorder   listens to a system: counters of each process before its memory goes, frames over time
    times      page faults over time, for a report that shows them
    spaces     the areas of a process with what of them is resident
    result     one run as a dict: what JSON has, and all forms are made from
    text       a few lines for the terminal
    page       HTML with pictures (`pictures`: SVG)
"""
