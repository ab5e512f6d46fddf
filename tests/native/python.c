/* The interpreter, for a tool that must be part of the program and not only of the extension. */
#include <Python.h>

int main(int argc, char **argv) {
    return Py_BytesMain(argc, argv);
}
