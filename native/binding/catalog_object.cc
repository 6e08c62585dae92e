#include "catalog_object.h"

#include <algorithm>
#include <string>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "request_decoding.h"
#include "retrieval/recall.h"
#include "retrieval/retriever.h"
#include "shared_registry.h"

namespace feedrank::binding {
namespace {

CatalogSchema read_schema(const Napi::Value& value) {
  const ObjectReader reader(value, "schema");
  CatalogSchema schema;
  schema.id_kind = reader.text("ids") == "integer" ? IdKind::kInteger : IdKind::kString;
  for_each_object(reader.array("spaces"), "schema.spaces", [&schema](const ObjectReader& space) {
    schema.spaces.push_back({space.text("name"), space.count("dimensions"), space.text("version"),
                             space.text("index") == "approximate"});
  });
  schema.columns = reader.texts("columns");
  schema.labels = reader.texts("labels");
  if (reader.text("columnPrecision") == "float32") {
    schema.column_precision = ColumnPrecision::kFloat32;
  }
  return schema;
}

std::vector<uint32_t> codes(std::span<const uint32_t> found) {
  return {found.begin(), found.end()};
}

void check_length(size_t length, size_t expected, const std::string& argument) {
  if (length == expected) return;
  throw Error("INVALID_ARGUMENT", argument,
              argument + ": expected " + std::to_string(expected) + " elements, got " +
                  std::to_string(length));
}

/// Numbers stay where JavaScript put them and are read there by the native thread: the facade made
/// these arrays for this one call, and they are kept alive until it is over.
ItemBatch read_batch(const ObjectReader& reader, const CatalogSchema& schema,
                     Environment::KeptObjects& kept) {
  const auto keep = [&kept](const Napi::Value& value) {
    kept.push_back(Napi::Persistent(value.As<Napi::Object>()));
  };
  const auto names = [&reader](const char* name) {
    const auto texts = reader.joined_texts(name);
    return std::vector<std::string>(texts.begin(), texts.end());
  };
  ItemBatch batch;
  if (schema.id_kind == IdKind::kString) {
    const auto ids = reader.joined_texts("ids");
    batch.ids.assign(ids.begin(), ids.end());
    keep(reader.object("ids").value("bytes"));
  } else {
    const auto ids = reader.integers("ids");
    batch.ids.assign(ids.begin(), ids.end());
  }
  const size_t n = batch.ids.size();
  batch.publish_times = reader.integers("publishTimes");
  check_length(batch.publish_times.size(), n, "publishTimes");
  batch.author_names = names("authorNames");
  batch.authors = codes(reader.uint32_span("authors"));
  check_length(batch.authors.size(), n, "authors");
  batch.topic_names = names("topicNames");
  const auto topics = reader.uint32_span("topics");
  const auto topic_ends = reader.uint32_span("topicEnds");
  check_length(topic_ends.size(), n, "topicEnds");
  uint32_t begin = 0;
  for (const uint32_t end : topic_ends) {
    if (end < begin || end > topics.size()) check_length(topics.size(), end, "topics");
    batch.topics.emplace_back(topics.begin() + begin, topics.begin() + end);
    begin = end;
  }
  batch.label_names = names("labelNames");
  const Napi::Array labels = reader.array("labels");
  check_length(labels.Length(), schema.labels.size(), "labels");
  for_each_object(labels, "labels", [&](const ObjectReader& label) {
    batch.labels.push_back(codes(label.uint32_span("values")));
    check_length(batch.labels.back().size(), n, label.path());
  });
  const Napi::Array columns = reader.array("columns");
  check_length(columns.Length(), schema.columns.size(), "columns");
  for_each_object(columns, "columns", [&](const ObjectReader& column) {
    batch.columns.push_back(column.double_span("values"));
    check_length(batch.columns.back().size(), n, column.path());
    keep(column.value("values"));
  });
  const Napi::Array spaces = reader.array("spaces");
  check_length(spaces.Length(), schema.spaces.size(), "spaces");
  for_each_object(spaces, "spaces", [&](const ObjectReader& space) {
    const uint32_t dimensions = schema.spaces[batch.spaces.size()].dimensions;
    batch.spaces.push_back({space.float_span("values"), space.byte_span("present")});
    check_length(batch.spaces.back().present.size(), n, space.path());
    check_length(batch.spaces.back().values.size(), n * dimensions, space.path());
    keep(space.value("values"));
    keep(space.value("present"));
  });
  const auto check_codes = [](const std::vector<uint32_t>& found, size_t names,
                              const char* argument) {
    for (const uint32_t code : found) {
      if (code != StringTable::kNone && code >= names) check_length(names, code, argument);
    }
  };
  check_codes(batch.authors, batch.author_names.size(), "authors");
  for (const auto& found : batch.topics) check_codes(found, batch.topic_names.size(), "topics");
  for (const auto& found : batch.labels) check_codes(found, batch.label_names.size(), "labels");
  return batch;
}

/// Queries that have come from JavaScript.
struct Search {
  uint32_t space = 0;
  std::vector<float> vectors;
  std::vector<RetrievalQuery> queries;

  /// With no k beyond what there can be.
  std::vector<RetrievalQuery> queries_on(const Snapshot& snapshot) const {
    std::vector<RetrievalQuery> bounded = queries;
    for (RetrievalQuery& query : bounded) query.k = std::min(query.k, snapshot.row_count());
    return bounded;
  }
};

std::shared_ptr<const Search> read_search(const ObjectReader& reader, const CatalogSchema& schema) {
  auto search = std::make_shared<Search>();
  search->space = schema.space_index(reader.text("space"), "space");
  search->vectors = reader.floats("vectors");
  const auto nows = reader.double_span("now");
  const auto taus = reader.double_span("tauMs");
  const uint32_t dimensions = schema.spaces[search->space].dimensions;
  check_length(search->vectors.size(), nows.size() * dimensions, "vectors");
  check_length(taus.size(), nows.size(), "tauMs");
  for (size_t q = 0; q < nows.size(); ++q) {
    search->queries.push_back({std::span(search->vectors).subspan(q * dimensions, dimensions),
                               static_cast<int64_t>(nows[q]), taus[q], reader.count("k"),
                               read_negatives(reader.text("negativeDots")), read_effort(reader)});
  }
  return search;
}

}  // namespace

Napi::Function CatalogObject::define(Napi::Env env) {
  return DefineClass(
      env, "Catalog",
      {InstanceMethod<&CatalogObject::upsert>("upsert"),
       InstanceMethod<&CatalogObject::remove>("remove"), InstanceMethod<&CatalogObject::has>("has"),
       InstanceMethod<&CatalogObject::retrieve>("retrieve"),
       InstanceMethod<&CatalogObject::recall>("recall"),
       InstanceMethod<&CatalogObject::tidy_some>("tidySome"),
       InstanceMethod<&CatalogObject::stats>("stats"),
       InstanceMethod<&CatalogObject::share>("share"),
       InstanceMethod<&CatalogObject::schema>("schema")});
}

CatalogObject::CatalogObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    if (info[0].IsNumber()) {
      shared_ = SharedRegistry<SharedCatalog>::find(info[0].As<Napi::Number>().Uint32Value());
      if (shared_ == nullptr) {
        throw Error("DISPOSED", "handle",
                    "handle: the catalog that it names is not in this process any more");
      }
    } else {
      shared_ = std::make_shared<SharedCatalog>(read_schema(info[0]),
                                                Environment::of(info.Env()).shared_executor());
    }
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

Napi::Value CatalogObject::upsert(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Environment& environment = Environment::of(info.Env());
    Environment::KeptObjects kept;
    const ObjectReader reader(info[0], "items");
    auto batch =
        std::make_shared<const ItemBatch>(read_batch(reader, shared_->catalog->schema(), kept));
    return environment.run<UpsertResult>(
        info.Env(), [this](Executor::Job job) { shared_->writes->submit_write(std::move(job)); },
        [catalog = shared_->catalog, batch] { return catalog->upsert(*batch); },
        [](Napi::Env env, const UpsertResult& result) {
          auto object = Napi::Object::New(env);
          object.Set("inserted", result.inserted);
          object.Set("replaced", result.replaced);
          object.Set("epoch", static_cast<double>(result.epoch));
          return object;
        },
        std::move(kept));
  });
}

Napi::Value CatalogObject::remove(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto ids = std::make_shared<const std::vector<ItemId>>(to_item_ids(info[0], "ids"));
    return Environment::of(info.Env())
        .run<RemoveResult>(
            info.Env(),
            [this](Executor::Job job) { shared_->writes->submit_write(std::move(job)); },
            [catalog = shared_->catalog, ids] { return catalog->remove(*ids); },
            [](Napi::Env env, const RemoveResult& result) {
              auto object = Napi::Object::New(env);
              object.Set("removed", result.removed);
              object.Set("unknown", result.unknown);
              object.Set("epoch", static_cast<double>(result.epoch));
              return object;
            });
  });
}

Napi::Value CatalogObject::has(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ItemId id = to_item_id(info[0], "id");
    const Slot slot = shared_->catalog->slots(std::span(&id, 1)).front();
    return Napi::Boolean::New(info.Env(), slot.index != UINT32_MAX);
  });
}

Napi::Value CatalogObject::retrieve(const Napi::CallbackInfo& info) {
  struct Found {
    std::unique_ptr<const Snapshot> snapshot;
    std::vector<std::vector<Retrieved>> items;
  };
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    std::shared_ptr<const Search> search = read_search(reader, shared_->catalog->schema());
    std::shared_ptr<const Retriever> retriever = make_retriever(reader.text("device"));
    Environment& environment = Environment::of(info.Env());
    // The environment holds the executor until what runs on it has ended.
    Executor* executor = &environment.executor();
    return environment.run<Found>(
        info.Env(), environment.anywhere(),
        [catalog = shared_->catalog, search, retriever, executor] {
          Found found{catalog->pin(), {}};
          found.items = retriever->retrieve(*found.snapshot, search->space,
                                            search->queries_on(*found.snapshot), executor);
          return found;
        },
        [](Napi::Env env, const Found& found) {
          auto results = Napi::Array::New(env, found.items.size());
          for (uint32_t q = 0; q < found.items.size(); ++q) {
            const auto& items = found.items[q];
            auto ids = Napi::Array::New(env, items.size());
            auto scores = Napi::Float64Array::New(env, items.size());
            for (uint32_t i = 0; i < items.size(); ++i) {
              ids.Set(i, from_item_id(env, found.snapshot->id(items[i].row)));
              scores[i] = items[i].score;
            }
            auto result = Napi::Object::New(env);
            result.Set("ids", ids);
            result.Set("scores", scores);
            results.Set(q, result);
          }
          return results;
        });
  });
}

Napi::Value CatalogObject::recall(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    std::shared_ptr<const Search> search = read_search(reader, shared_->catalog->schema());
    Environment& environment = Environment::of(info.Env());
    return environment.run<Recall>(
        info.Env(), environment.anywhere(),
        [catalog = shared_->catalog, search] {
          const auto snapshot = catalog->pin();
          return measure_recall(*snapshot, search->space, search->queries_on(*snapshot));
        },
        [](Napi::Env env, const Recall& recall) {
          auto object = Napi::Object::New(env);
          object.Set("recall", recall.found);
          object.Set("exactMs", recall.exact_ms);
          object.Set("approximateMs", recall.approximate_ms);
          object.Set("listed", recall.listed);
          return object;
        });
  });
}

Napi::Value CatalogObject::tidy_some(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .run<bool>(
            info.Env(), [this](Executor::Job job) { shared_->writes->submit(std::move(job)); },
            [catalog = shared_->catalog] {
              const bool untidy = catalog->tidy();
              return catalog->cluster_some() || untidy;
            },
            [](Napi::Env env, bool more) { return Napi::Boolean::New(env, more); });
  });
}

Napi::Value CatalogObject::stats(const Napi::CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  object.Set("size", shared_->catalog->size());
  object.Set("epoch", static_cast<double>(shared_->catalog->epoch()));
  object.Set("allocatedRows", shared_->catalog->allocated_rows());
  object.Set("bytes", static_cast<double>(shared_->catalog->bytes()));
  return object;
}

Napi::Value CatalogObject::schema(const Napi::CallbackInfo& info) {
  const CatalogSchema& schema = shared_->catalog->schema();
  auto spaces = Napi::Array::New(info.Env(), schema.spaces.size());
  for (uint32_t i = 0; i < schema.spaces.size(); ++i) {
    auto space = Napi::Object::New(info.Env());
    space.Set("name", schema.spaces[i].name);
    space.Set("dimensions", schema.spaces[i].dimensions);
    space.Set("version", schema.spaces[i].version);
    space.Set("index", schema.spaces[i].approximate ? "approximate" : "exact");
    spaces.Set(i, space);
  }
  auto object = Napi::Object::New(info.Env());
  object.Set("ids", schema.id_kind == IdKind::kInteger ? "integer" : "string");
  object.Set("spaces", spaces);
  object.Set("columns", to_string_array(info.Env(), schema.columns));
  object.Set("labels", to_string_array(info.Env(), schema.labels));
  const bool narrow = schema.column_precision == ColumnPrecision::kFloat32;
  object.Set("columnPrecision", narrow ? "float32" : "float64");
  return object;
}

Napi::Value CatalogObject::share(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), SharedRegistry<SharedCatalog>::add(shared_));
}

}  // namespace feedrank::binding
