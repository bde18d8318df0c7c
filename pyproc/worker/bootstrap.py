# The whole Python text of a worker: `python -I -c TEXT EMBED_LIBRARY WORKER_LIBRARY NUMBER`. Every Python
# there is can read it, so that an old one says what is wrong; and it imports what the interpreter has built in or loads
# in under a millisecond, because each worker's start waits for it.
import sys


def leave(sentence):
    sys.stderr.write("clutch worker: " + sentence + "\n")
    sys.stderr.flush()
    sys.exit(3)


if sys.version_info < (3, 8):
    leave("%s is Python %d.%d.%d, and Clutch needs 3.8 or later; set python.executable to a newer interpreter"
          % ((sys.executable,) + tuple(sys.version_info[:3])))
if sys.implementation.name != "cpython":
    leave("%s is %s, and Clutch needs CPython; set python.executable to a CPython interpreter"
          % (sys.executable, sys.implementation.name))


def start(runtime, worker, arguments):
    import _signal
    try:
        import faulthandler
    except ImportError:
        pass  # A Python built without it crashes with a signal and no stack, which the host reports all the same.
    else:
        # Descriptor 2 is the log: the host reads the stack of a crash, and of a worker it is about to stop, from there.
        faulthandler.enable(file=2, all_threads=True)
        faulthandler.register(_signal.SIGUSR1, file=2, all_threads=True, chain=False)

    from importlib.machinery import ExtensionFileLoader, ModuleSpec
    loader = ExtensionFileLoader("clutch_pyembed", runtime)
    spec = ModuleSpec("clutch_pyembed", loader, origin=runtime)
    try:
        module = loader.create_module(spec)
        loader.exec_module(module)
    except ImportError as problem:
        leave("%s does not load into %s (Python %d.%d.%d): %s; it belongs to the same Clutch as the host"
              % ((runtime, sys.executable) + tuple(sys.version_info[:3]) + (problem,)))
    sys.modules["clutch_pyembed"] = module
    sys.argv = ["clutch-worker"]
    return module.serve(worker, *arguments)


if len(sys.argv) < 3:
    leave("it is started by Clutch, with the runtime and the worker library as arguments")
sys.exit(start(sys.argv[1], sys.argv[2], sys.argv[3:]))
