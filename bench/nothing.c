/* nothing: a type whose methods do nothing, as the least that a call of C from Python costs.
 *
 * `Nothing().take(argument)` is METH_O and returns None; `Nothing().nothing()` is METH_NOARGS. Both are
 * the cheapest forms that CPython has for a method with one argument and with none.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *take(PyObject *self, PyObject *argument)
{
    (void)self, (void)argument;
    Py_RETURN_NONE;
}

static PyObject *nothing(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"take", take, METH_O, "Take one argument and do nothing with it."},
    {"nothing", nothing, METH_NOARGS, "Do nothing."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject Nothing = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "nothing.Nothing",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Methods that do nothing.",
    .tp_methods = methods,
    .tp_new = PyType_GenericNew,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "nothing", .m_size = -1};

PyMODINIT_FUNC PyInit_nothing(void)
{
    PyObject *self = PyType_Ready(&Nothing) < 0 ? NULL : PyModule_Create(&module);
    if (self != NULL && PyModule_AddObjectRef(self, "Nothing", (PyObject *)&Nothing) < 0) Py_CLEAR(self);
    return self;
}
