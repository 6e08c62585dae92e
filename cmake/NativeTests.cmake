# feedrank_add_native_tests(<target>) gives ctest one test for each source file that holds a TEST_CASE.
#
# The executable itself knows its files: after each link it writes the list of add_test() calls.

function(feedrank_add_native_tests target)
  set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake")
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${target} --write-ctest "${list}"
    BYPRODUCTS "${list}"
    COMMENT "Listing the tests of ${target}"
    VERBATIM)
  set(include "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
  file(WRITE "${include}" "if(EXISTS \"${list}\")\n  include(\"${list}\")\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include}")
endfunction()
