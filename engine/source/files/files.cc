#include "source/files/files.h"

#include <cstdint>
#include <string>
#include <utility>

#include "source/files/bounded_reader.h"
#include "source/files/decoder.h"
#include "source/files/range.h"
#include "source/files/watching_reader.h"

namespace clutch::engine {
namespace {

class FilesSource final : public Source {
 public:
  FilesSource(FilesSpec spec, columnar::Field element, std::string_view place)
      : plan_(std::make_shared<FilePlan>(std::move(spec))), element_(std::move(element)), place_(place) {}

  const columnar::Field& element() const override { return element_; }
  bool bounded() const override { return !plan_->spec().watch_ms; }
  int32_t highest_parallelism() const override { return INT32_MAX; }

  Result<std::unique_ptr<SourceReader>> reader(const SourceContext& context) const override {
    return bounded() ? bounded_files_reader(plan_, element_, context, place_)
                     : watching_files_reader(plan_->spec(), element_, context, place_);
  }

 private:
  std::shared_ptr<FilePlan> plan_;  // Why shared: see bounded_files_reader().
  columnar::Field element_;
  std::string place_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_files_source(const nlohmann::json& members, const columnar::Field& element,
                                                  std::string_view place) {
  CLUTCH_ASSIGN_OR_RETURN(FilesSpec spec, read_files_spec(members, place));
  // Made to be refused here, and not when the job runs, where the format does not give such elements.
  CLUTCH_ASSIGN_OR_RETURN(const auto decoder, make_decoder(spec, element, place));
  columnar::Field value = element;
  value.name = "value";
  return std::unique_ptr<Source>(std::make_unique<FilesSource>(std::move(spec), std::move(value), place));
}

}  // namespace clutch::engine
