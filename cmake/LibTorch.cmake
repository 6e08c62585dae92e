# Defines the imported target feedrank::libtorch from FEEDRANK_LIBTORCH_DIR, a folder that holds lib/ and include/.
#
# LibTorch's own TorchConfig.cmake is not used: it looks for CUDA toolkits that linking does not
# need, and it leaks build paths into the run path.

set(FEEDRANK_LIBTORCH_DIR "$ENV{FEEDRANK_LIBTORCH}" CACHE PATH "Folder that holds LibTorch's lib/ and include/")

if(NOT FEEDRANK_LIBTORCH_DIR)
  message(FATAL_ERROR "FEEDRANK_LIBTORCH_DIR is not set. `npm run setup` fetches LibTorch and passes its folder.")
endif()
if(NOT EXISTS "${FEEDRANK_LIBTORCH_DIR}/lib/libtorch_cpu.so"
   OR NOT EXISTS "${FEEDRANK_LIBTORCH_DIR}/include/torch/script.h")
  message(FATAL_ERROR "${FEEDRANK_LIBTORCH_DIR} does not hold lib/libtorch_cpu.so and include/torch/script.h.")
endif()

# The version stands in one of these headers, depending on LibTorch's age.
set(_version_text "")
foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(EXISTS "${FEEDRANK_LIBTORCH_DIR}/include/${_header}")
    file(STRINGS "${FEEDRANK_LIBTORCH_DIR}/include/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(APPEND _version_text "${_lines};")
  endif()
endforeach()
foreach(_part MAJOR MINOR PATCH)
  if(_version_text MATCHES "TORCH_VERSION_${_part} +([0-9]+)")
    set(_version_${_part} "${CMAKE_MATCH_1}")
  else()
    message(FATAL_ERROR "No LibTorch version was found in ${FEEDRANK_LIBTORCH_DIR}/include.")
  endif()
endforeach()
set(FEEDRANK_LIBTORCH_VERSION "${_version_MAJOR}.${_version_MINOR}.${_version_PATCH}")
if(FEEDRANK_LIBTORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch ${FEEDRANK_LIBTORCH_VERSION} is too old: feedrank compiles against 2.11 or later.")
endif()

add_library(feedrank_libtorch INTERFACE)
add_library(feedrank::libtorch ALIAS feedrank_libtorch)
target_include_directories(feedrank_libtorch SYSTEM INTERFACE
  "${FEEDRANK_LIBTORCH_DIR}/include"
  "${FEEDRANK_LIBTORCH_DIR}/include/torch/csrc/api/include")
target_link_libraries(feedrank_libtorch INTERFACE
  "${FEEDRANK_LIBTORCH_DIR}/lib/libc10.so"
  "${FEEDRANK_LIBTORCH_DIR}/lib/libtorch_cpu.so")

if(EXISTS "${FEEDRANK_LIBTORCH_DIR}/lib/libtorch_cuda.so")
  set(FEEDRANK_LIBTORCH_CUDA ON)
  # The linker drops a library that no symbol is taken from, and CUDA registers itself only when it is loaded.
  target_link_libraries(feedrank_libtorch INTERFACE
    "-Wl,--push-state,--no-as-needed"
    "${FEEDRANK_LIBTORCH_DIR}/lib/libtorch.so"
    "${FEEDRANK_LIBTORCH_DIR}/lib/libtorch_cuda.so"
    "${FEEDRANK_LIBTORCH_DIR}/lib/libc10_cuda.so"
    "-Wl,--pop-state")
  target_compile_definitions(feedrank_libtorch INTERFACE FEEDRANK_WITH_CUDA=1)
else()
  set(FEEDRANK_LIBTORCH_CUDA OFF)
endif()
message(STATUS "LibTorch ${FEEDRANK_LIBTORCH_VERSION} (CUDA: ${FEEDRANK_LIBTORCH_CUDA}) in ${FEEDRANK_LIBTORCH_DIR}")
