# Defines the imported target feedrank::node_api with the headers of Node-API and node-addon-api.
#
# cmake-js passes both folders in CMAKE_JS_INC. Plain CMake (binding.gyp, an editor) asks Node for them.

if(NOT CMAKE_JS_INC)
  execute_process(
    COMMAND node -p "[require('node-api-headers').include_dir, require('node-addon-api').include_dir].map(d => require('path').resolve(d)).join(';')"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    OUTPUT_VARIABLE CMAKE_JS_INC
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE _node_result)
  if(NOT _node_result EQUAL 0)
    message(FATAL_ERROR "Node-API's headers were not found. Run `npm ci --ignore-scripts` first.")
  endif()
endif()

add_library(feedrank_node_api INTERFACE)
add_library(feedrank::node_api ALIAS feedrank_node_api)
target_include_directories(feedrank_node_api SYSTEM INTERFACE ${CMAKE_JS_INC})
# With plain CPP_EXCEPTIONS a c10::Error in a callback would abort the process, and so would an
# exception that is thrown while worker.terminate() takes its environment down.
target_compile_definitions(feedrank_node_api INTERFACE
  NAPI_VERSION=9
  NODE_ADDON_API_CPP_EXCEPTIONS_ALL
  NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
