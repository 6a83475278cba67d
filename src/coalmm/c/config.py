"""The command coalmm-config: what a C compiler and linker need, from the coalmm.pc beside the library."""

import click

from coalmm import __version__
from coalmm.c import INCLUDE_FOLDER, LIBRARY, LIBRARY_FOLDER


def flags(field: str) -> str:
    """A field of coalmm.pc, its variables filled in. ClickException without a compiled coalmm."""
    path = LIBRARY_FOLDER / "coalmm.pc"
    if not LIBRARY.exists() or not path.exists():
        raise click.ClickException(f"no {LIBRARY}: coalmm was installed without a C compiler; install it again")
    lines = path.read_text(encoding="utf-8").splitlines()
    value = next(line.partition(": ")[2] for line in lines if line.startswith(f"{field}: "))
    return value.replace("${includedir}", str(INCLUDE_FOLDER)).replace("${libdir}", str(LIBRARY_FOLDER))


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.option("--cflags", is_flag=True, help="Print the compiler's options.")
@click.option("--libs", is_flag=True, help="Print the linker's options.")
@click.option("--static", is_flag=True, help="With --libs: link the interpreter into the program.")
@click.option("--includedir", is_flag=True, help="Print the folder of coalmm.h.")
@click.option("--libdir", is_flag=True, help="Print the folder of libcoalmm.so and of a coalmm.pc.")
@click.version_option(__version__, "--version", message="%(version)s")
def main(cflags: bool, libs: bool, static: bool, includedir: bool, libdir: bool) -> None:
    """What a C program needs to be built with coalmm:  cc kernel.c $(coalmm-config --cflags --libs)

    A program that uses pkg-config: `pkg-config --cflags --libs coalmm`, with PKG_CONFIG_PATH set to
    $(coalmm-config --libdir) if coalmm is in an environment of its own.
    """
    words = [flags("Cflags")] if cflags else []
    words += [flags("Libs")] if libs else []
    if libs and static and "--whole-archive" not in words[-1]:
        words.append(flags("Libs.private"))
    words += [str(INCLUDE_FOLDER)] if includedir else []
    words += [str(LIBRARY_FOLDER)] if libdir else []
    if not words:
        raise click.UsageError("nothing to print: give --cflags or --libs (see coalmm-config --help)")
    click.echo(" ".join(words))


if __name__ == "__main__":
    main()
