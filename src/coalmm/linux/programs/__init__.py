"""From a file to a process that can run: what execve does.

    elf      headers of an image, checked
    loader   its segments as areas
    script   #! lines
    stack    arguments, environment and auxiliary vector
    execute  all of it, for a task
"""
