// The Python text a worker's interpreter runs with -I -c (layout.h says its arguments).
#pragma once

namespace clutch::pyproc {

// Why: no import beyond faulthandler and importlib.machinery, which are in the interpreter already; each further module
// is milliseconds of every start.
inline constexpr char kBootstrap[] =
    "import sys, faulthandler\n"
    "from importlib.machinery import ExtensionFileLoader, ModuleSpec\n"
    "embed, worker, dump, number = sys.argv[1:5]\n"
    "faulthandler.enable(2)\n"
    "faulthandler.register(int(dump), 2, True, False)\n"
    "loader = ExtensionFileLoader('clutch_pyembed', embed)\n"
    "module = loader.create_module(ModuleSpec('clutch_pyembed', loader, origin=embed))\n"
    "loader.exec_module(module)\n"
    "del sys.argv[1:]\n"
    "sys.exit(module.serve(worker, number))\n";

}  // namespace clutch::pyproc
