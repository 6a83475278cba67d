"""A Linux personality: what ordinary programs need to run on this memory manager.

    cpu        the emulated CPU, with our page walk as its MMU
    programs   ELF images, their first stack, execve
    calls      the system calls, a family a file
    vfs        files: the host's below a root, read-only, with a private overlay; pipes; /proc
    signals    their state, frames and delivery
    system     one run: what tasks share, system calls, life up to the end
    scheduler  whose turn it is
    traps      what the CPU could not do -> a signal
    ending     threads and processes that end
"""
