from coalmm.linux.cpu.library cimport (
    address_of, allocate_context, context_save, context_size, control_1, map_memory, map_pointer, open_engine,
    open_shared, read_memory, register_bytes, release, set_register_bytes, symbol, version, why_not, write_memory,
)
