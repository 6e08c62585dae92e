#include "engagement_object.h"

#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "environment.h"
#include "feature_decoding.h"
#include "features/feature_assembler.h"
#include "features/recent_reads.h"
#include "segment_decoding.h"
#include "shared_registry.h"
#include "slate/reader_encoder.h"
#include "slices_encoding.h"
#include "user_tower_object.h"
#include "wrapped.h"

namespace feedrank::binding {
namespace {

Engagement::Options read_options(const Napi::Value& value) {
  const ObjectReader reader(value, "options");
  Engagement::Options options;
  for (const double half_life : reader.double_span("halfLivesMs")) {
    options.half_lives_ms.push_back(static_cast<int64_t>(half_life));
  }
  for (const double half_life : reader.double_span("segmentHalfLivesMs")) {
    options.segment_half_lives_ms.push_back(static_cast<int64_t>(half_life));
  }
  for_each_object(reader.array("segments"), "segments", [&](const ObjectReader& item) {
    options.segmentations.push_back({item.text("name"), item.texts("values")});
  });
  options.lateness_ms = reader.instant("latenessMs");
  options.users = {reader.count("maxUsers"), reader.count("maxShownPerUser"),
                   reader.count("maxReadsPerUser"), reader.instant("ttlMs")};
  const ObjectReader co_read = reader.object("coRead");
  options.co_read = {{co_read.instant("halfLifeMs"), co_read.count("maxPerItem")},
                     co_read.instant("windowMs"),
                     co_read.count("reads")};
  options.slices_half_life_ms = reader.instant("slicesHalfLifeMs");
  options.pool = {reader.instant("poolWindowMs"), reader.instant("poolGridMs")};
  return options;
}

/// The facade numbers the types in the order of EventType.
std::vector<Event> read_events(const ObjectReader& reader, uint32_t segment_values) {
  const auto types = reader.byte_span("types");
  const auto times = reader.double_span("at");
  const auto dwells = reader.double_span("dwellMs");
  const auto scrolled = reader.double_span("scrolled");
  const auto segments = reader.byte_span("segments");
  std::vector<ItemId> users = reader.ids("userIds");
  std::vector<ItemId> items = reader.ids("itemIds");
  std::vector<std::string> event_ids = reader.texts("eventIds");
  const size_t n = types.size();
  if (times.size() != n || dwells.size() != n || scrolled.size() != n || users.size() != n ||
      items.size() != n || segments.size() != n * kMaxSegmentations ||
      (event_ids.size() != n && !event_ids.empty())) {
    throw Error("INVALID_ARGUMENT", "events", "events: expected columns of one length");
  }
  std::vector<Event> events(n);
  for (size_t i = 0; i < n; ++i) {
    const auto type = std::min<uint8_t>(types[i], static_cast<uint8_t>(EventType::kOther));
    Event& event = events[i];
    event.type = static_cast<EventType>(type);
    event.user = std::move(users[i]);
    event.item = std::move(items[i]);
    event.at = static_cast<int64_t>(times[i]);
    event.dwell_ms = dwells[i];
    event.scrolled = scrolled[i];
    event.segments = to_segment_codes(segments.subspan(i * kMaxSegmentations, kMaxSegmentations),
                                      segment_values, "events.segments");
    if (!event_ids.empty()) event.event_id = std::move(event_ids[i]);
  }
  std::vector<ItemId> from_ids = reader.ids("fromIds");
  const auto from_events = reader.uint32_span("fromEvents");
  for (size_t f = 0; f < from_ids.size(); ++f) {
    if (f >= from_events.size() || from_events[f] >= n) {
      throw Error("INVALID_ARGUMENT", "events", "events: expected an event for each page's item");
    }
    events[from_events[f]].from = std::move(from_ids[f]);
  }
  return events;
}

}  // namespace

Napi::Function EngagementObject::define(Napi::Env env) {
  return DefineClass(env, "Engagement",
                     {InstanceMethod<&EngagementObject::record>("record"),
                      InstanceMethod<&EngagementObject::forget>("forget"),
                      InstanceMethod<&EngagementObject::features>("features"),
                      InstanceMethod<&EngagementObject::reads>("reads"),
                      InstanceMethod<&EngagementObject::slices>("slices"),
                      InstanceMethod<&EngagementObject::stats>("stats"),
                      InstanceMethod<&EngagementObject::share>("share"),
                      InstanceMethod<&EngagementObject::shape>("shape")});
}

EngagementObject::EngagementObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&]() -> Napi::Value {
    if (info[0].IsNumber()) {
      shared_ = SharedRegistry<SharedEngagement>::find(info[0].As<Napi::Number>().Uint32Value());
      if (shared_ == nullptr) {
        throw Error("DISPOSED", "handle",
                    "handle: the counters that it names are not in this process any more");
      }
      if (unwrap<CatalogObject>(info[1], "catalog").shared() != shared_->catalog) {
        throw Error("INVALID_ARGUMENT", "catalog",
                    "catalog: expected the catalog that the feed was made for, got another");
      }
    } else {
      const auto& catalog = unwrap<CatalogObject>(info[0], "catalog").shared();
      shared_ = std::make_shared<SharedEngagement>(SharedEngagement{
          catalog, std::make_shared<Engagement>(catalog->catalog, read_options(info[1]))});
    }
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    return info.Env().Undefined();
  });
}

Napi::Value EngagementObject::record(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "events");
    auto events = std::make_shared<const std::vector<Event>>(
        read_events(reader, count_segment_values(shared_->engagement->options().segmentations)));
    const int64_t now = reader.instant("now");
    return Environment::of(info.Env())
        .run<RecordResult>(
            info.Env(),
            [this](Executor::Job job) { shared_->catalog->writes->submit(std::move(job)); },
            [engagement = shared_->engagement, events, now] {
              return engagement->record(*events, now);
            },
            [](Napi::Env env, const RecordResult& result) {
              auto object = Napi::Object::New(env);
              object.Set("recorded", result.recorded);
              object.Set("duplicates", result.duplicates);
              object.Set("late", result.late);
              object.Set("unknownItems", result.unknown_items);
              return object;
            });
  });
}

Napi::Value EngagementObject::forget(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const UserId user = to_item_id(info[0], "userId");
    return Napi::Boolean::New(info.Env(), shared_->engagement->users().forget(user));
  });
}

Napi::Value EngagementObject::features(const Napi::CallbackInfo& info) {
  struct Input {
    FeatureList list;
    std::vector<ItemId> ids;
    std::vector<double> context;
    std::vector<UserVectors> user_vectors;
    std::optional<ReaderEncoder> encoder;
    std::optional<UserId> user;
    std::optional<ItemId> current_item;
    SegmentCodes segments;
    int64_t now;
  };
  struct Output {
    std::vector<float> values;
    std::vector<double> known;
  };
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    const CatalogSchema& schema = shared_->catalog->catalog->schema();
    auto input = std::make_shared<Input>();
    input->context = reader.numbers("context");
    const Engagement::Options& options = shared_->engagement->options();
    input->list =
        read_feature_list(reader, schema, options, static_cast<uint32_t>(input->context.size()));
    input->ids = reader.ids("ids");
    input->user_vectors = read_user_vectors(reader.array("userVectors"), schema);
    if (reader.has("userTower")) {
      input->encoder = read_reader_encoder(reader.object("userTower"), schema,
                                           static_cast<uint32_t>(input->context.size()));
      for (const UserVectors& given : input->user_vectors) {
        if (given.space == input->encoder->space) {
          input->encoder.reset();
          break;
        }
      }
    }
    if (reader.has("userId")) input->user = to_item_id(reader.value("userId"), "query.userId");
    if (reader.has("currentItem")) {
      input->current_item = to_item_id(reader.value("currentItem"), "query.currentItemId");
    }
    input->segments =
        to_segment_codes(reader.byte_span("segments"), count_segment_values(options.segmentations),
                         "query.segments");
    input->now = reader.instant("now");
    Environment& environment = Environment::of(info.Env());
    return environment.run<Output>(
        info.Env(), environment.anywhere(),
        [engagement = shared_->engagement, input] {
          const auto snapshot = engagement->catalog()->pin();
          std::vector<Row> rows = engagement->catalog()->resolve(*snapshot, input->ids);
          const auto inputs_of = [&](std::span<const UserVectors> vectors) {
            return FeatureAssembler::Inputs{*snapshot,           *engagement,    input->now,
                                            input->context,      vectors,        input->user,
                                            input->current_item, input->segments};
          };
          if (input->encoder) {
            input->user_vectors.push_back(
                encode_reader(*input->encoder, inputs_of(input->user_vectors)));
          }
          const FeatureAssembler::Inputs inputs = inputs_of(input->user_vectors);
          const size_t width = input->list.features.size();
          Output output{std::vector<float>(rows.size() * width), {}};
          std::vector<Row> known;
          for (const Row row : rows) {
            output.known.push_back(row == kNoRow ? 0 : 1);
            if (row != kNoRow) known.push_back(row);
          }
          std::vector<float> packed(known.size() * width);
          FeatureAssembler::fill(input->list, inputs, known, packed.data(), width);
          auto next = packed.begin();
          for (size_t i = 0; i < rows.size(); ++i) {
            if (rows[i] == kNoRow) continue;
            std::copy_n(next, width, output.values.begin() + static_cast<ptrdiff_t>(i * width));
            next += static_cast<ptrdiff_t>(width);
          }
          return output;
        },
        [](Napi::Env env, const Output& output) {
          auto object = Napi::Object::New(env);
          object.Set("values", to_float32_array(env, output.values));
          object.Set("known", to_float64_array(env, output.known));
          return object;
        });
  });
}

Napi::Value EngagementObject::reads(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    std::optional<UserId> user;
    std::optional<ItemId> page;
    if (reader.has("userId")) user = to_item_id(reader.value("userId"), "query.userId");
    if (reader.has("currentItem")) {
      page = to_item_id(reader.value("currentItem"), "query.currentItemId");
    }
    const auto snapshot = shared_->catalog->catalog->pin();
    const std::vector<RecentRead> found = recent_reads(
        *snapshot, *shared_->engagement, {user, page, reader.instant("now"), reader.count("most")});
    auto ids = Napi::Array::New(info.Env(), found.size());
    auto hours = Napi::Float32Array::New(info.Env(), found.size());
    for (uint32_t i = 0; i < found.size(); ++i) {
      ids.Set(i, from_item_id(info.Env(), snapshot->id(found[i].row)));
      hours[i] = found[i].hours;
    }
    auto object = Napi::Object::New(info.Env());
    object.Set("ids", ids);
    object.Set("hours", hours);
    return object;
  });
}

Napi::Value EngagementObject::slices(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const ObjectReader reader(info[0], "options");
    return encode_slices(info.Env(), *shared_->engagement, reader.instant("now"));
  });
}

Napi::Value EngagementObject::stats(const Napi::CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  object.Set("users", static_cast<double>(shared_->engagement->users().size()));
  object.Set("counterBytes", static_cast<double>(shared_->engagement->counter_bytes()));
  object.Set("userBytes", static_cast<double>(shared_->engagement->users().bytes()));
  return object;
}

Napi::Value EngagementObject::shape(const Napi::CallbackInfo& info) {
  const Engagement::Options& options = shared_->engagement->options();
  const auto to_array = [&](const std::vector<int64_t>& durations) {
    auto array = Napi::Array::New(info.Env(), durations.size());
    for (uint32_t i = 0; i < durations.size(); ++i) array.Set(i, static_cast<double>(durations[i]));
    return array;
  };
  auto segments = Napi::Array::New(info.Env(), options.segmentations.size());
  for (uint32_t i = 0; i < options.segmentations.size(); ++i) {
    auto segment = Napi::Object::New(info.Env());
    segment.Set("name", options.segmentations[i].name);
    segment.Set("values", to_string_array(info.Env(), options.segmentations[i].values));
    segments.Set(i, segment);
  }
  auto shape = Napi::Object::New(info.Env());
  shape.Set("halfLivesMs", to_array(options.half_lives_ms));
  shape.Set("segmentHalfLivesMs", to_array(options.segment_half_lives_ms));
  shape.Set("segments", segments);
  shape.Set("latenessMs", static_cast<double>(options.lateness_ms));
  shape.Set("poolGridMs", static_cast<double>(options.pool.grid_ms));
  return shape;
}

Napi::Value EngagementObject::share(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), SharedRegistry<SharedEngagement>::add(shared_));
}

}  // namespace feedrank::binding
