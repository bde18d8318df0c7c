"""Runs attach_worker inside this interpreter, in the three ways a runtime can meet one that lives already.

    attach.py FOLDER_OF_RUNTIME WORKER serve|held|released
"""

import ctypes
import os
import sys


def main():
    folder, worker, way = sys.argv[1:]
    sys.path.insert(0, folder)
    stdout = sys.stdout
    if way == "serve":
        import clutch_pyembed

        try:
            clutch_pyembed.serve("/no/such/library.so")
            return "serve took a library that is not there"
        except ImportError as error:
            if "cannot load the worker library: " not in str(error):
                return "wrong sentence: %s" % error
        code = clutch_pyembed.serve(worker, "adopted", 7)
        return code or None
    # As a host that is itself Python would: with the interpreter lock held (PyDLL), or let go (CDLL).
    kind = ctypes.PyDLL if way == "held" else ctypes.CDLL
    runtime = ctypes.CDLL(os.path.join(folder, "clutch_pyembed.so"))
    runtime.clutch_pyembed_table_v1.restype = ctypes.c_void_p
    run = kind(worker).clutch_worker_main
    run.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    arguments = (ctypes.c_char_p * 2)(b"attached", b"7")
    code = run(runtime.clutch_pyembed_table_v1(), 2, arguments)
    if sys.stdout is not stdout:
        return "sys.stdout of a foreign interpreter was replaced"
    return code or None


sys.exit(main())
