@0xd1c8f2a97b3e4c55;
# Messages between a supervisor and its worker that are not on the hot path. Always one segment; from worker to host at
# most 64 KiB, read with tight limits. Fields are only ever appended.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("clutch::pyproc::wire");

struct Option {
  key @0 :Text;
  value @1 :Text;
}

struct Schema {
  # One field as the Arrow C data interface has it.
  format @0 :Text;
  name @1 :Text;
  flags @2 :Int64;
  children @3 :List(Schema);
  dictionary @4 :Schema;   # null: none
  object @5 :Text;         # the metadata clutch.object; empty: none
}

struct Error {
  code @0 :Int32;          # CLUTCH_OK: no error, the rest is empty
  origin @1 :Int32;
  message @2 :Text;
  details @3 :List(Option);
}

struct Configure {
  options @0 :List(Option);
  number @1 :UInt32;       # names the worker in messages and logs
}

struct Ready {
  error @0 :Error;
  pid @1 :Int32;
  facts @2 :List(Option);  # "python.version", "python.executable", "python.prefix", ...
}

struct Step {
  name @0 :Text;
  kind @1 :Text;
  kindRevision @2 :UInt32;
  payloadFormat @3 :Text;
  payload @4 :Data;
  options @5 :List(Option);
}

struct OpenFunction {
  function @0 :UInt64;
  name @1 :Text;
  steps @2 :List(Step);
  input @3 :Schema;
  output @4 :Schema;
  onError @5 :Int32;
  options @6 :List(Option);
}

struct StateDeclaration {
  name @0 :Text;
  stateKind @1 :Int32;
  ttlMs @2 :Int64;
  ttlUpdate @3 :Int32;
  ttlVisibility @4 :Int32;
}

struct SideOutput {
  name @0 :Text;
  schema @1 :Schema;
}

struct FunctionOpened {
  function @0 :UInt64;
  error @1 :Error;
  # In the order of declaration: the worker's number of a state is its position here, that of a side output its
  # position plus one (0 is the main output).
  states @2 :List(StateDeclaration);
  sideOutputs @3 :List(SideOutput);
}

struct FunctionClosed {
  function @0 :UInt64;
  error @1 :Error;         # close() of the user's object failed
}

struct DeadLetter {
  row @0 :Int64;
  error @1 :Error;
}

struct Metric {
  kind @0 :Int32;          # CLUTCH_METRIC_*
  name @1 :Text;
  value @2 :Float64;
}

struct BatchNotes {
  ticket @0 :UInt64;
  deadLetters @1 :List(DeadLetter);
  metrics @2 :List(Metric);
}

struct BatchError {
  ticket @0 :UInt64;
  error @1 :Error;
}

struct Log {
  level @0 :Int32;         # CLUTCH_LOG_*
  function @1 :UInt64;     # 0: none
  source @2 :Text;
  text @3 :Text;
}
