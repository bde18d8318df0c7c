// From payloads to functions, their life, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "clutch-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path_ / name;
    std::ofstream(file) << text;
    return file.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

SpecText import(const std::string& payload, const std::string& in = "int64", const std::string& out = "int64",
                const std::string& kind = "table.scalar") {
  SpecText spec = source(kind, "", in, out);
  spec.steps[0].format = "import";
  spec.steps[0].payload = payload;
  return spec;
}

TEST(Loading, ImportsAnAttributeOfAModule) {
  Session session;
  OpenFunction f = session.open(import("math:floor", "float64"));
  columnar::ArrayBuilder builder(column("x", "float64"));
  builder.append(2.5);
  std::vector<columnar::Array> columns;
  columns.push_back(builder.finish());
  EXPECT_THAT(f.submit(batch_of(std::move(columns))).rows, ElementsAre("{'y': 2}"));
}

TEST(Loading, ImportsDottedAttributes) {
  Session session;
  OpenFunction f = session.open(import("builtins:str.upper", "string", "string"));
  EXPECT_THAT(f.submit(texts({"a"})).rows, ElementsAre("{'y': 'A'}"));
}

TEST(Loading, ImportsFromAFileWithItsNeighbours) {
  Folder folder;
  folder.write("neighbour_of_f.py", "def three(): return 3\n");
  const std::string file = folder.write("my functions.py",
                                        "import neighbour_of_f\nclass Box:\n    @staticmethod\n    def f(x):\n"
                                        "        return x + neighbour_of_f.three()\n");
  Session session;
  OpenFunction f = session.open(import(file + ":Box.f"));
  EXPECT_THAT(f.submit(ints({1})).rows, ElementsAre("{'y': 4}"));
}

TEST(Loading, EachFunctionHasItsOwnGlobals) {
  Folder folder;
  const std::string file = folder.write("counter.py", "n = 0\ndef f(x):\n    global n\n    n += 1\n    return n\n");
  Session session;
  OpenFunction f = session.open(import(file + ":f"));
  OpenFunction g = session.open(import(file + ":f"));
  EXPECT_THAT(f.submit(ints({0, 0})).rows, ElementsAre("{'y': 1}", "{'y': 2}"));
  EXPECT_THAT(g.submit(ints({0})).rows, ElementsAre("{'y': 1}"));
}

TEST(Loading, FindsModulesOnThePythonPath) {
  Folder folder;
  folder.write("on_the_path_1.py", "def f(x): return x * 7\n");
  const std::string file = folder.write("a_file_2.py", "def f(x): return x * 9\n");
  Session session({{"python.pythonpath", "/nowhere:" + folder.path()}});
  EXPECT_THAT(session.open(import("on_the_path_1:f")).submit(ints({1})).rows, ElementsAre("{'y': 7}"));
  Folder other;
  const std::string given = other.write("a_file_3.py", "def f(x): return x * 11\n");
  Session files({{"python.files", given}});
  EXPECT_THAT(files.open(import("a_file_3:f")).submit(ints({1})).rows, ElementsAre("{'y': 11}"));
}

TEST(Loading, RefusesWhatDoesNotImport) {
  Session session;
  EXPECT_THAT(session.refuse(import("no_such_module_x:f")).message,
              StartsWith("function \"f\": there is no module 'no_such_module_x'; put its folder into python.pythonpath "
                         "or python.files, or install it for "));
  EXPECT_THAT(session.refuse(import("math:nope")).message,
              StartsWith("function \"f\": module 'math' has no attribute 'nope'; it has: acos, "));
  EXPECT_EQ(session.refuse(import("math")).message,
            "function \"f\": the import 'math' is not of the form module:attribute or path/file.py:attribute");
  EXPECT_EQ(session.refuse(import("/no/such/file.py:f")).message,
            "function \"f\": the file '/no/such/file.py' cannot be read: No such file or directory");
  Folder folder;
  const std::string file = folder.write("broken.py", "def f(x:\n");
  const clutch_error error = session.refuse(import(file + ":f"));
  EXPECT_EQ(error.code, CLUTCH_ERR_FUNCTION);
  EXPECT_THAT(error.message, StartsWith("function \"f\": SyntaxError: "));
  const std::string raises = folder.write("raises.py", "import no_such_module_y\n");
  const clutch_error inner = session.refuse(import(raises + ":f"));
  EXPECT_THAT(inner.message, StartsWith("function \"f\": ModuleNotFoundError: No module named 'no_such_module_y'"));
}

TEST(Loading, RefusesWhatCannotBeCalled) {
  Session session;
  EXPECT_EQ(session.refuse(import("math:pi")).message,
            "function \"f\": 3.141592653589793 of type float is not callable and has no method eval(); table.scalar "
            "needs a function or an object with one");
  EXPECT_EQ(session.refuse(source("stream.map", "async def f(x):\n    return x\n")).message,
            "function \"f\": it is an async function, and stream.map calls plain functions; remove 'async'");
  EXPECT_EQ(
      session.refuse(source("table.scalar", "class F:\n    async def eval(self, x):\n        return x\n")).message,
      "function \"f\": it is an async function, and table.scalar calls plain functions; remove 'async'");
  EXPECT_EQ(session.refuse(source("table.scalar", "x = 1\n")).message,
            "function \"f\": the source defines no function and no class; define one, or name it by option "
            "'attribute'");
}

TEST(Loading, RefusesKindsAndFormatsItDoesNotServe) {
  Session session;
  const clutch_error kind = session.refuse(source("stream.window", "def f(x):\n    return x\n"));
  EXPECT_EQ(kind.code, CLUTCH_ERR_UNSUPPORTED);
  EXPECT_THAT(kind.message, StartsWith("function \"f\": kind \"stream.window\" is not served; kinds served: "));
  SpecText native = import("lib.so:f");
  native.steps[0].format = "native";
  EXPECT_EQ(session.refuse(native).message,
            "function \"f\": payload format \"native\" is not served; formats served: import, pickle, source");
}

TEST(Loading, SourceTakesTheNamedAttributeOrTheLastDefinition) {
  Session session;
  SpecText spec = source("table.scalar", "def a(x):\n    return 1\ndef b(x):\n    return 2\nc = 5\n");
  EXPECT_THAT(session.open(spec).submit(ints({0})).rows, ElementsAre("{'y': 2}"));
  spec.steps[0].options.add("attribute", "a");
  EXPECT_THAT(session.open(spec).submit(ints({0})).rows, ElementsAre("{'y': 1}"));
}

TEST(Loading, ClassesAreMadeIntoObjects) {
  Session session;
  const std::string text =
      "class F:\n"
      "    def __init__(self): self.n = 100\n"
      "    def eval(self, x): return self.n + x\n"
      "    def map(self, x): return self.n + 2 * x\n"
      "    def filter(self, x): return x == 1\n"
      "    def flat_map(self, x): return [x, self.n]\n";
  EXPECT_THAT(session.open(source("table.scalar", text)).submit(ints({1})).rows, ElementsAre("{'y': 101}"));
  EXPECT_THAT(session.open(source("stream.map", text)).submit(ints({1})).rows, ElementsAre("{'y': 102}"));
  EXPECT_THAT(session.open(source("stream.flat_map", text)).submit(ints({1})).rows,
              ElementsAre("{'y': 1}", "{'y': 100}"));
  EXPECT_THAT(session.open(import("builtins:str", "int64", "string")).submit(ints({1})).rows,
              ElementsAre("{'y': '1'}"));
}

TEST(Loading, PicklesAreLoaded) {
  Session session;
  SpecText spec = import("ccmath\nphase\n.", "float64", "float64");
  spec.steps[0].format = "pickle";
  OpenFunction f = session.open(spec);
  columnar::ArrayBuilder builder(column("x", "float64"));
  builder.append(2.5);
  std::vector<columnar::Array> columns;
  columns.push_back(builder.finish());
  EXPECT_THAT(f.submit(batch_of(std::move(columns))).rows, ElementsAre("{'y': 0.0}"));
}

TEST(Loading, PicklesThatCannotBeLoadedAreRefused) {
  Session session;
  SpecText spec = import("ccloudpickle_gone.cloudpickle\nf\n.");
  spec.steps[0].format = "pickle";
  EXPECT_THAT(session.refuse(spec).message, HasSubstr("ModuleNotFoundError: No module named 'cloudpickle_gone'"));
  spec.steps[0].payload = "\x80\x05garbage";
  EXPECT_THAT(session.refuse(spec).message, HasSubstr("the payload does not unpickle in Python 3."));
  spec.steps[0].options.add("python.version", "2.7.18");
  EXPECT_THAT(session.refuse(spec).message,
              HasSubstr("the payload was pickled by Python 2.7.18 and this is Python 3."));
}

// What a program prints, or "" if it fails.
std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, size);
  return pclose(pipe) == 0 ? text : "";
}

// "3.11.2", after something was opened.
std::string session_version(Session& session) {
  session.open(source("table.scalar", "def f(x):\n    return x\n"));
  return session.facts()["python.version"];
}

TEST(Loading, CloudpickledLambdasAndClosuresRun) {
  const std::string dump =
      " -c \"import sys, cloudpickle\n"
      "def adder(n):\n"
      "    return lambda x: x + n\n"
      "sys.stdout.buffer.write(cloudpickle.dumps(adder(40)))\"";
  const std::string payload = output_of(program() + dump);
  if (payload.empty()) GTEST_SKIP() << program() << " has no cloudpickle";
  Session session;
  SpecText spec = import(payload);
  spec.steps[0].format = "pickle";
  OpenFunction f = session.open(spec);
  EXPECT_THAT(f.submit(ints({2, 3})).rows, ElementsAre("{'y': 42}", "{'y': 43}"));
}

TEST(Loading, CodeOfANeighbourIsRefusedBeforeItRuns) {
  Session session;
  const std::string own = session_version(session);
  const std::string payload = output_of(
      "/usr/bin/python3 -c \"import sys, cloudpickle\n"
      "sys.stdout.buffer.write(cloudpickle.dumps(lambda x: x + 1))\"");
  if (payload.empty()) GTEST_SKIP() << "/usr/bin/python3 has no cloudpickle";
  // From whichever side one looks at it: 3.11 and 3.12 take each other's code, and crash.
  const std::string stamp = own.rfind("3.12.", 0) == 0 ? "3.11.2" : "3.12.1";
  SpecText spec = import(payload);
  spec.steps[0].format = "pickle";
  spec.steps[0].options.add("python.version", stamp);
  EXPECT_EQ(session.refuse(spec).message, "function \"f\": the payload was pickled by Python " + stamp +
                                              " and this is Python " + own +
                                              "; code only unpickles in the version it was pickled by");
}

TEST(Loading, APickleOfAnotherVersionsCodeIsRefused) {
  Session session;
  // A call of CodeType with one argument, which no version takes: what the code of another version comes to.
  SpecText spec = import("ctypes\nCodeType\n(I1\ntR.");
  spec.steps[0].format = "pickle";
  EXPECT_THAT(session.refuse(spec).message, HasSubstr("function \"f\": the payload does not unpickle in Python 3."));
  spec.steps[0].options.add("python.version", "3.7.9");
  EXPECT_THAT(session.refuse(spec).message,
              HasSubstr("function \"f\": the payload was pickled by Python 3.7.9 and this is Python 3."));
}

constexpr char kLife[] =
    "class F:\n"
    "    def open(self, context):\n"
    "        print('open')\n"
    "        if context.get_job_parameter('fail', 'no') == 'yes': raise ValueError('cannot open')\n"
    "    def eval(self, x): return x\n"
    "    def close(self):\n"
    "        print('close')\n";

std::vector<std::string> printed(const Session& session) {
  std::vector<std::string> texts;
  for (const FakeHost::Line& line : const_cast<Session&>(session).host().lines()) {
    if (line.source == "stdout") texts.push_back(line.text);
  }
  return texts;
}

TEST(Loading, OpenAndCloseAreCalledOnce) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLife));
  f.submit(ints({1}));
  f.submit(ints({1}));
  EXPECT_EQ(f.close().status, CLUTCH_OK);
  EXPECT_THAT(printed(session), ElementsAre("open", "close"));
}

TEST(Loading, CloseIsCalledWhenOpenFails) {
  Session session;
  SpecText spec = source("table.scalar", kLife);
  SpecText failing = source("table.scalar", kLife);
  failing.steps[0].name = "second";
  failing.steps[0].options.add("fail", "yes");
  spec.steps.push_back(failing.steps[0]);
  const clutch_error error = session.refuse(spec);
  EXPECT_EQ(error.code, CLUTCH_ERR_FUNCTION);
  EXPECT_EQ(error.message, "function \"second\" open(): ValueError: cannot open");
  EXPECT_THAT(printed(session), ElementsAre("open", "open", "close", "close"));
}

TEST(Loading, AFailingCloseIsReported) {
  Session session;
  OpenFunction f = session.open(
      source("stream.map", "class F:\n    def map(self, x): return x\n    def close(self): raise OSError('gone')\n"));
  Outcome outcome = f.close();
  EXPECT_EQ(outcome.status, CLUTCH_ERR_FUNCTION);
  EXPECT_EQ(outcome.error.message, "function \"f\" close(): OSError: gone");
}

TEST(Loading, CloseIsCalledOnceAlsoWhenItRaisesOrOpenDid) {
  const std::string life =
      "class F:\n"
      "    def open(self, context):\n"
      "        print('open')\n"
      "        if context.get_job_parameter('fail', 'no') == 'yes': raise ValueError('cannot open')\n"
      "    def eval(self, x): return x\n"
      "    def close(self):\n"
      "        print('close')\n"
      "        raise OSError('cannot close')\n";
  Session session;
  {
    OpenFunction f = session.open(source("table.scalar", life));
    EXPECT_EQ(f.close().error.message, "function \"f\" close(): OSError: cannot close");
    EXPECT_THAT(printed(session), ElementsAre("open", "close"));
  }
  SpecText failing = source("table.scalar", life);
  failing.steps[0].options.add("fail", "yes");
  EXPECT_EQ(session.refuse(failing).message, "function \"f\" open(): ValueError: cannot open");
  EXPECT_THAT(printed(session), ElementsAre("open", "close", "open", "close"));
  const FakeHost::Line last = session.host().lines().back();
  EXPECT_EQ(last.text, "function \"f\" close(): OSError: cannot close");
}

TEST(Loading, TheContextHasMetricsAndParameters) {
  Session session;
  SpecText spec = source("stream.map",
                         "class F:\n"
                         "    def open(self, context):\n"
                         "        group = context.get_metrics_group().add_group('my')\n"
                         "        self.count = group.counter('rows')\n"
                         "        group.gauge('last', lambda: self.last)\n"
                         "        self.sizes = group.distribution('sizes')\n"
                         "        self.rate = group.meter('rate')\n"
                         "        self.factor = int(context.get_job_parameter('factor', '1'))\n"
                         "        self.name = context.get_task_name()\n"
                         "        assert context.get_index_of_this_subtask() == 0\n"
                         "    def map(self, x):\n"
                         "        self.last = x\n"
                         "        self.count.inc()\n"
                         "        self.sizes.update(x)\n"
                         "        self.rate.mark_event(2)\n"
                         "        return '%s%d' % (self.name, x * self.factor)\n",
                         "int64", "string");
  spec.options.add("pipeline.global-job-parameters", "factor:3,'other':'a:b'");
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 2}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 'f3'}", "{'y': 'f6'}"));
  std::vector<std::string> seen;
  for (const FakeHost::Metric& metric : session.host().metrics()) {
    seen.push_back(std::to_string(metric.kind) + " " + metric.name + " " + std::to_string(int(metric.value)));
  }
  EXPECT_THAT(seen, ElementsAre("0 my.rows 2", "1 my.last 2", "2 my.sizes 1", "2 my.sizes 2", "3 my.rate 4"));
}

TEST(Loading, MetricsCanBeSwitchedOff) {
  Session session;
  SpecText spec = source("stream.map",
                         "class F:\n"
                         "    def open(self, context): context.get_metric_group()\n"
                         "    def map(self, x): return x\n");
  spec.options.add("python.metric.enabled", "false");
  EXPECT_THAT(session.refuse(spec).message, EndsWith("metrics are switched off; set python.metric.enabled to true to "
                                                     "use them"));
}

TEST(Loading, ConfigurationIsChecked) {
  FakeHost host;
  const auto refuse = [&host](const std::string& key, const std::string& value) {
    OptionList list;
    list.add(key, value);
    const clutch_options options = list.view();
    clutch_runtime* runtime = nullptr;
    clutch_error error;
    EXPECT_EQ(table()->runtime_open(host.table(), &options, &runtime, &error), CLUTCH_ERR_CONFIG);
    return error.message;
  };
  EXPECT_EQ(refuse("python.row-deadline", "soon"),
            "python.row-deadline = \"soon\" is no duration; write whole milliseconds or a number with a unit, as in "
            "\"250 ms\", \"1 s\", \"2 min\"");
  EXPECT_EQ(refuse("python.embed.program", "python3"), "python.embed.program = \"python3\" must be an absolute path");
  EXPECT_EQ(refuse("python.embed.progress", "12x"),
            "python.embed.progress = \"12x\" is not the decimal address of an int64");
}

TEST(Loading, ManyFunctionsLeaveNoModuleBehind) {
  Session session;
  for (int i = 0; i < 200; ++i) session.open(source("table.scalar", "def f(x):\n    return x\n")).submit(ints({1}));
  OpenFunction count = session.open(
      source("table.scalar",
             "import sys\ndef f(x):\n    return len([n for n in sys.modules if n.startswith('clutch_function')])\n"));
  EXPECT_THAT(count.submit(ints({0})).rows, ElementsAre("{'y': 1}"));
}

}  // namespace
}  // namespace clutch::pyembed::testing
