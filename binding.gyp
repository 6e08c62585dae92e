# For prebuildify and node-gyp in a clone only: package.json says "gypfile": false and leaves this
# file out of what is published, so that no package manager compiles on install.
{
  "targets": [
    {
      "target_name": "feedrank_with_cmake",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/Release/feedrank.node"],
          "action": ["node", "lib/build-native.js"],
        }
      ],
    }
  ]
}
