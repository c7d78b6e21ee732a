/* The executable's start: isolate CPython, then run the package's bytecode, which is in this file like the standard
   library's. What src/__main__.py does for the archive. */

#include <Python.h>
#include <internal/pycore_mimalloc.h>
#include <limits.h>
#include <marshal.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

/* frozen.c, which freeze.py writes. */
extern const struct _frozen standard_library[]; /* zipimport first */
extern const char package[];                    /* the entry bytecode/cpython-3XX of the archive */
extern const Py_ssize_t package_size;

#define MAGIC_NUMBER_SIZE 4 /* the package's first bytes, which tell for which CPython it is: this one */
#define FAILED 125
#define MIN_STACK_SIZE 32768 /* a start takes 26,000 bytes, or crashes */

static int failed(const char *reason)
{
    fprintf(stderr, "run-lambda-entrypoint: cannot start: %s\n", reason);
    return FAILED;
}

/* The path of this file: the archive with botocore is appended to it. Where /proc is not mounted, what was executed. */
static const char *own_path(void)
{
    static char path[2 * PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX);
    if (size > 0)
        return path;
    const char *executed = (const char *)getauxval(AT_EXECFN);
    if (executed == NULL || executed[0] == '/' || getcwd(path, PATH_MAX) == NULL)
        return executed;
    size_t length = strlen(path);
    snprintf(path + length, sizeof path - length, "/%s", executed);
    return path;
}

/* Instead of CPython's Modules/getpath.c, which looks for ._pth, pyvenv.cfg and pybuilddir.txt beside this file. */
PyStatus _PyConfig_InitPathConfig(PyConfig *Py_UNUSED(config), int Py_UNUSED(compute))
{
    return PyStatus_Ok();
}

/* As `python3 -ISB` with UTF-8 mode, whatever the environment says. Neither main nor CPython changes the environment,
   so what posix.environ has is what main got. */
static PyStatus initialize(int argc, char **argv, const wchar_t *path)
{
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;                          /* file names and arguments keep every byte */
    /* musl's malloc makes botocore's path 8 times as long. Mimalloc reserves 32 MB of address space for each thread. */
    struct rlimit space;
    int limited = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
    before.allocator = limited ? PYMEM_ALLOCATOR_PYMALLOC : PYMEM_ALLOCATOR_MIMALLOC;
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status))
        return status;

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.parse_argv = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 1;            /* as in python3: command.py expects it */
    config.module_search_paths_set = 1;            /* to nothing: all modules are in this file */
    /* Nothing can be found below a file. Empty paths would be relative ones: gettext's share/locale. */
    wchar_t **paths[] = {&config.program_name, &config.executable, &config.base_executable, &config.prefix,
                         &config.base_prefix, &config.exec_prefix, &config.base_exec_prefix, &config.stdlib_dir,
                         &config.platlibdir};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(paths) && !PyStatus_Exception(status); i++)
        status = PyConfig_SetString(&config, paths[i], path);
    if (!PyStatus_Exception(status))
        status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status)) {
        PyImport_FrozenModules = standard_library + 1; /* importing zipimport would take 0.3 ms, and few starts need it */
        status = Py_InitializeFromConfig(&config);
        PyImport_FrozenModules = standard_library;
    }
    PyConfig_Clear(&config);
    return status;
}

static void end(int number)
{
    _exit(128 + number);
}

/* Until the package has its own handlers: no traceback, and it ends PID 1 too. CPython leaves handlers alone that are
   not its own. */
static void end_on_signals(void)
{
    int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(numbers); i++) {
        struct sigaction inherited;
        if (sigaction(numbers[i], NULL, &inherited) == 0 && inherited.sa_handler != SIG_IGN)
            signal(numbers[i], end);
    }
}

/* Calls run_lambda_entrypoint.bytecode.start, which ends the process; NULL with an exception if it could not. */
static PyObject *start(const wchar_t *path)
{
    PyObject *found = PyMarshal_ReadObjectFromString(package + MAGIC_NUMBER_SIZE, package_size - MAGIC_NUMBER_SIZE);
    PyObject *modules, *libraries;
    if (found == NULL || !PyArg_ParseTuple(found, "OO", &modules, &libraries))
        return NULL;
    const char *name = "run_lambda_entrypoint.bytecode", *code;
    Py_ssize_t size;
    int is_package;
    if (!PyArg_ParseTuple(PyDict_GetItemString(modules, name), "py#", &is_package, &code, &size))
        return NULL;
    PyObject *scope = Py_BuildValue("{ssss}", "__name__", name, "__file__", name);
    PyObject *compiled = scope ? PyMarshal_ReadObjectFromString(code, size) : NULL;
    if (compiled == NULL || PyDict_SetItemString(scope, "__builtins__", PyEval_GetBuiltins()) < 0
        || PyEval_EvalCode(compiled, scope, scope) == NULL || PySys_SetObject("frozen", Py_True) < 0)
        return NULL;
    return PyObject_CallFunction(PyDict_GetItemString(scope, "start"), "uOO", path, modules, libraries);
}

/* Whether this program's frames fit into the stack, whose limit arguments and environment count toward. */
static int has_stack(void)
{
    struct rlimit stack;
    const char *top = (const char *)getauxval(AT_EXECFN), *here = (const char *)&stack; /* it grows downward */
    return getrlimit(RLIMIT_STACK, &stack) != 0 || top == NULL
        || stack.rlim_cur >= (rlim_t)(top - here) + MIN_STACK_SIZE;
}

int main(int argc, char **argv)
{
    if (!has_stack())
        return failed("arguments and environment leave too little of the stack; raise its limit (ulimit -s)");
    end_on_signals();
    mi_option_set(mi_option_use_numa_nodes, 1); /* it would look for more of them in /sys */
    const char *path = own_path();
    wchar_t *decoded = path && argc ? Py_DecodeLocale(path, NULL) : NULL;
    if (decoded == NULL)
        return failed("the path of the executable is unknown");
    argv[0] = (char *)path;
    PyStatus status = initialize(argc, argv, decoded);
    if (PyStatus_Exception(status))
        return failed(status.err_msg);
    /* CPython ends recursion in C, as of JSON, at a count of calls: 10,000 take 2.2 MB. */
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur / 512 < Py_C_RECURSION_LIMIT)
        PyThreadState_Get()->c_recursion_remaining = stack.rlim_cur / 512;
    if (start(decoded) == NULL && !PyErr_ExceptionMatches(PyExc_SystemExit))
        return failed(Py_TYPE(PyErr_GetRaisedException())->tp_name); /* MemoryError, for instance */
    PyErr_Print(); /* of SystemExit, after --help: flushes and ends the process */
    return FAILED;
}
