"""Files as a guest program sees them.

node         an inode: what a name of the tree leads to; a directory leads to more of them
overlay      nodes of the host's tree, read-only, with private changes on top that no host file ever sees
passthrough  nodes below `--write DIR`: changes go to the host
devices      /dev
resolve      a path to a node, component by component; nothing below the root leads out of it
open_file    an open file: a node, an offset, flags; pipes, the console and the like have kinds of their own
file_table   the descriptors of a process
vfs          all of them behind one object
"""
