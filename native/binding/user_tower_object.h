#pragma once

#include <memory>

#include "arguments.h"
#include "node_api.h"
#include "ranking/user_tower.h"
#include "slate/reader_encoder.h"

namespace feedrank::binding {

/// A loaded user tower. Made by `loadUserTower`, never by JavaScript's `new`.
class UserTowerObject : public Napi::ObjectWrap<UserTowerObject> {
 public:
  static constexpr napi_type_tag kTypeTag{0x6665656472616e6bULL, 0x7573657274777201ULL};
  static constexpr const char* kDescription = "a user tower";

  static Napi::Function define(Napi::Env env);

  explicit UserTowerObject(const Napi::CallbackInfo& info);

  /// Throws DISPOSED.
  const std::shared_ptr<UserTower>& tower() const;

  /// `loadUserTower({ bytes, dimensions, maxReads, context })`: a promise of a tower.
  static Napi::Value load(const Napi::CallbackInfo& info);

 private:
  /// `encode({ reads, hours, present, context })`: a promise of one reader's vector.
  Napi::Value encode(const Napi::CallbackInfo& info);

  /// `share()`: another handle on the same tower.
  Napi::Value share(const Napi::CallbackInfo& info);
  /// `release()`: lets go of it at once, not when JavaScript's collector comes by.
  Napi::Value release(const Napi::CallbackInfo& info);

  std::shared_ptr<UserTower> tower_;
};

/// `{ name, space, tower, context }` of a plan or of a call for features. Throws DIMENSION_MISMATCH
/// where tower and space have different dimensions.
ReaderEncoder read_reader_encoder(const ObjectReader& reader, const CatalogSchema& schema,
                                  uint32_t context_values);

}  // namespace feedrank::binding
