#include "catalog/catalog.h"

#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

CatalogSchema string_schema() {
  return {IdKind::kString,
          {{"tower", 3, "1"}, {"content", 2, "7"}},
          {"quality", "length"},
          {"group", "language"}};
}

}  // namespace

TEST_CASE("an item comes back from the catalog as it was given") {
  const auto catalog = std::make_shared<Catalog>(string_schema());
  upsert(*catalog, {{"a", 1000, "ann", {"sport", "news"}, {{1, 2, 2}, {}}, {0.5}, {"x", ""}},
                    {"b", -5, "", {}, {{}, {3, 4}}, {kNaN, 7}, {"", "en"}}});
  const auto snapshot = catalog->pin();
  const Row a = row_of(*snapshot, "a");
  const Row b = row_of(*snapshot, "b");
  REQUIRE(a != kNoRow && b != kNoRow && a != b);
  const Chunk& chunk = snapshot->chunk_of(a);
  const auto& strings = catalog->strings();
  EXPECT_EQ(std::get<std::string>(snapshot->id(a)), "a");
  EXPECT_EQ(snapshot->publish_time(a), 1000);
  EXPECT_EQ(snapshot->publish_time(b), -5);
  EXPECT_EQ(strings.text(chunk.author[a]), "ann");
  EXPECT_EQ(chunk.author[b], StringTable::kNone);
  REQUIRE(chunk.topics[a].size() == 2);
  EXPECT_EQ(strings.text(chunk.topics[a][0]), "sport");
  EXPECT_EQ(strings.text(chunk.topics[a][1]), "news");
  EXPECT(chunk.topics[b].empty());
  EXPECT_EQ(strings.text(chunk.labels[0][a]), "x");
  EXPECT_EQ(chunk.labels[1][a], StringTable::kNone);
  EXPECT_EQ(strings.text(chunk.labels[1][b]), "en");
  EXPECT_EQ(chunk.columns(a)[0], 0.5);
  EXPECT(std::isnan(chunk.columns(a)[1]));
  EXPECT_EQ(chunk.columns(b)[1], 7.0);
  EXPECT(chunk.has_vector(0, a) && !chunk.has_vector(1, a));
  EXPECT(!chunk.has_vector(0, b) && chunk.has_vector(1, b));
  EXPECT_EQ(chunk.vector(0, a)[2], 2.0F);
  EXPECT_EQ(chunk.norm(0, a), 3.0F);
  EXPECT_EQ(chunk.norm(1, b), 5.0F);
  EXPECT_EQ(chunk.norm(1, a), -1.0F);
}

TEST_CASE("columns that are kept in float32 are rounded, and take half the memory") {
  CatalogSchema schema = string_schema();
  const auto wide = std::make_shared<Catalog>(schema);
  schema.column_precision = ColumnPrecision::kFloat32;
  const auto narrow = std::make_shared<Catalog>(schema);
  const size_t columns = schema.columns.size();
  for (const auto& catalog : {wide, narrow}) {
    upsert(*catalog, {{"a", 1000, "", {}, {{1, 2, 2}, {}}, {0.1, kNaN}, {"", ""}},
                      {"b", 1000, "", {}, {{1, 2, 2}, {}}, {1e300, -1e300}, {"", ""}}});
  }
  const auto snapshot = narrow->pin();
  const Chunk& chunk = snapshot->chunk(0);
  const Row a = row_of(*snapshot, "a");
  const Row b = row_of(*snapshot, "b");
  EXPECT_EQ(chunk.columns(a)[0], double{0.1F});
  EXPECT(std::isnan(chunk.columns(a)[1]));
  EXPECT_EQ(chunk.columns(b)[0], double{std::numeric_limits<float>::max()});
  EXPECT_EQ(chunk.columns(b)[1], -double{std::numeric_limits<float>::max()});
  EXPECT_EQ(wide->bytes() - narrow->bytes(),
            Chunk::kRows * columns * (sizeof(double) - sizeof(float)));
}

TEST_CASE(
    "an upsert counts what it inserted and what it replaced, and a replaced item keeps its slot") {
  const auto catalog = integer_catalog();
  const UpsertResult first = upsert(*catalog, {{1, 10}, {2, 20}});
  EXPECT_EQ(first.inserted, 2U);
  EXPECT_EQ(first.replaced, 0U);
  EXPECT_EQ(first.epoch, 1U);
  const Slot slot = slot_of(*catalog, 2);
  const UpsertResult second = upsert(*catalog, {{2, 21}, {3, 30}});
  EXPECT_EQ(second.inserted, 1U);
  EXPECT_EQ(second.replaced, 1U);
  EXPECT_EQ(second.epoch, 2U);
  EXPECT_EQ(catalog->size(), 3U);
  EXPECT(slot_of(*catalog, 2) == slot);
  const auto snapshot = catalog->pin();
  EXPECT_EQ(snapshot->publish_time(row_of(*snapshot, 2)), 21);
  EXPECT_EQ(snapshot->publish_time(row_of(*snapshot, 1)), 10);
}

TEST_CASE("a replacement takes nothing over from the item before it") {
  const auto catalog = std::make_shared<Catalog>(string_schema());
  for (int round = 0; round < 3; ++round) {  // The third round reuses the first round's row.
    upsert(*catalog, {{"a", 1, "ann", {"sport"}, {{1, 1, 1}, {1, 1}}, {1, 1}, {"x", "y"}}});
    upsert(*catalog, {{"a", 2}});
  }
  const auto snapshot = catalog->pin();
  const Row row = row_of(*snapshot, "a");
  const Chunk& chunk = snapshot->chunk_of(row);
  EXPECT_EQ(chunk.author[row], StringTable::kNone);
  EXPECT(chunk.topics[row].empty());
  EXPECT_EQ(chunk.labels[0][row], StringTable::kNone);
  EXPECT(std::isnan(chunk.columns(row)[0]));
  EXPECT(!chunk.has_vector(0, row) && !chunk.has_vector(1, row));
}

TEST_CASE("a removed id is gone, and is unknown when it is removed again") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}, {2, 20}, {3, 30}});
  const RemoveResult result = remove(*catalog, {2, 7, 2, 3});
  EXPECT_EQ(result.removed, 2U);
  EXPECT_EQ(result.unknown, 2U);
  EXPECT_EQ(result.epoch, 2U);
  EXPECT_EQ(catalog->size(), 1U);
  const auto snapshot = catalog->pin();
  EXPECT_EQ(row_of(*snapshot, 2), kNoRow);
  EXPECT_EQ(slot_of(*catalog, 2).index, UINT32_MAX);
  EXPECT(row_of(*snapshot, 1) != kNoRow);
}

TEST_CASE("a write that changes nothing leaves the epoch") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}});
  EXPECT_EQ(upsert(*catalog, {}).epoch, 1U);
  EXPECT_EQ(remove(*catalog, {}).epoch, 1U);
  EXPECT_EQ(remove(*catalog, {5}).epoch, 1U);
  EXPECT_EQ(catalog->epoch(), 1U);
}

TEST_CASE("a batch that cannot be taken whole changes nothing") {
  const auto catalog = std::make_shared<Catalog>(string_schema());
  upsert(*catalog, {{"a", 1, "ann"}, {"b", 2}});
  const uint32_t rows = catalog->allocated_rows();
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const struct {
    TestItem bad;
    std::string code;
  } cases[] = {
      {{"new", 9}, "DUPLICATE_ID"},
      {{7, 9}, "INVALID_ARGUMENT"},
      {{"c", 9, "", {}, {{0, nan, 0}}}, "INVALID_ARGUMENT"},
      {{"c", 9, "", {}, {{infinity, 0, 0}}}, "INVALID_ARGUMENT"},
      {{"c", 9, "", {}, {{}, {0, -infinity}}}, "INVALID_ARGUMENT"},
      {{"c", 9, "", {}, {{2e15F, 0, 0}}}, "INVALID_ARGUMENT"},
  };
  for (const auto& [bad, code] : cases) {
    const std::vector<TestItem> items = {{"a", 5}, {"new", 3, "unheard"}, bad};
    EXPECT_EQ(error_code([&] { upsert(*catalog, items); }), code);
    const auto snapshot = catalog->pin();
    EXPECT_EQ(snapshot->epoch(), 1U);
    EXPECT_EQ(catalog->size(), 2U);
    EXPECT_EQ(catalog->allocated_rows(), rows);
    EXPECT_EQ(snapshot->publish_time(row_of(*snapshot, "a")), 1);
    EXPECT_EQ(row_of(*snapshot, "new"), kNoRow);
    EXPECT_EQ(catalog->strings().find("unheard"), StringTable::kNone);
  }
}

TEST_CASE("an id of the other kind is refused wherever ids are given") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 10}});
  const auto snapshot = catalog->pin();
  EXPECT_EQ(error_code([&] { row_of(*snapshot, "1"); }), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([&] { slot_of(*catalog, "1"); }), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([&] { remove(*catalog, {1, "1"}); }), "INVALID_ARGUMENT");
  EXPECT_EQ(catalog->size(), 1U);
}

TEST_CASE("odd ids are ids like any other") {
  const auto strings = std::make_shared<Catalog>(string_schema());
  const std::vector<ItemId> odd = {"",  "__proto__",           "1", " ", std::string(65536, 'x'),
                                   "é", std::string("a\0b", 3)};
  for (const ItemId& id : odd) upsert(*strings, {{id, 1}});
  EXPECT_EQ(strings->size(), odd.size());
  const auto snapshot = strings->pin();
  for (const ItemId& id : odd) {
    const Row row = row_of(*snapshot, id);
    REQUIRE(row != kNoRow);
    EXPECT(snapshot->id(row) == id);
  }
  const auto integers = integer_catalog();
  const int64_t most = (int64_t{1} << 53) - 1;
  upsert(*integers, {{most, 1}, {-most, 2}, {0, 3}, {-1, 4}});
  const auto pinned = integers->pin();
  EXPECT_EQ(pinned->publish_time(row_of(*pinned, -most)), 2);
  EXPECT_EQ(pinned->publish_time(row_of(*pinned, most)), 1);
}

TEST_CASE("a catalog grows chunk by chunk, and what it takes in bytes grows with it") {
  const auto catalog = integer_catalog(16);
  EXPECT_EQ(catalog->bytes(), 0U);
  std::vector<TestItem> items;
  for (int64_t i = 0; i < int64_t{Chunk::kRows} + 1; ++i) {
    items.push_back({i, i, "", {}, {std::vector<float>(16, static_cast<float>(i))}});
  }
  upsert(*catalog, items);
  EXPECT_EQ(catalog->allocated_rows(), Chunk::kRows + 1);
  EXPECT(catalog->bytes() >= size_t{2} * Chunk::kRows * 16 * sizeof(float));
  const auto snapshot = catalog->pin();
  EXPECT_EQ(snapshot->chunk_count(), 2U);
  for (int64_t i = 0; i < int64_t{Chunk::kRows} + 1; i += 512) {
    const Row row = row_of(*snapshot, i);
    REQUIRE(snapshot->visible(row));
    const Chunk& chunk = snapshot->chunk_of(row);
    EXPECT_EQ(chunk.vector(0, Snapshot::offset_of(row))[15], static_cast<float>(i));
  }
}

TEST_CASE("a schema says which spaces and columns there are when one is not") {
  const CatalogSchema schema = string_schema();
  EXPECT_EQ(schema.space_index("content", "space"), 1U);
  EXPECT_EQ(schema.column_index("length", "column"), 1U);
  EXPECT_EQ(error_code([&] { schema.column_index("x", "column"); }), "UNKNOWN_COLUMN");
  try {
    schema.space_index("missing", "query.space");
    EXPECT(false);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "UNKNOWN_SPACE");
    EXPECT_EQ(error.argument(), "query.space");
    EXPECT(std::string(error.what()).find("tower, content") != std::string::npos);
  }
}

TEST_CASE("a described id stays one short line") {
  EXPECT_EQ(describe(-42), "-42");
  EXPECT_EQ(describe("a\nb"), "'a?b'");
  EXPECT(describe(std::string(1000, 'y')).size() < 60);
}

TEST_CASE("a string table gives each text one code and never moves a text") {
  StringTable table;
  EXPECT_EQ(table.find("a"), StringTable::kNone);
  const uint32_t a = table.intern("a");
  const std::string* place = &table.text(a);
  for (int i = 0; i < 5000; ++i) table.intern("text " + std::to_string(i));
  EXPECT_EQ(table.intern("a"), a);
  EXPECT_EQ(table.find("text 4999"), 5000U);
  EXPECT_EQ(table.text(5000), "text 4999");
  EXPECT(place == &table.text(a));
}
