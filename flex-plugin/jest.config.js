// Jest as Twilio's tooling sets it up, run directly: its own `flex-plugin test` hands Jest 27 an option of its own,
// which Jest refuses.
process.env.NODE_ENV = "test";

module.exports = {
  roots: ["<rootDir>/src"],
  testEnvironment: "jsdom",
  setupFiles: ["<rootDir>/test/setup.js"],
  resolver: "<rootDir>/test/resolver.js",
  transform: { "\\.tsx?$": ["babel-jest", { presets: [["babel-preset-react-app", { runtime: "automatic" }]] }] },
  // What the tooling puts into the bundle when it builds.
  globals: {
    __FPB_PLUGIN_UNIQUE_NAME: "",
    __FPB_PLUGIN_VERSION: "",
    __FPB_FLEX_PLUGIN_SCRIPTS_VERSION: "",
    __FPB_FLEX_PLUGIN_VERSION: "",
    __FPB_FLEX_UI_VERSION: "",
    __FPB_REACT_VERSION: "",
    __FPB_REACT_DOM_VERSION: "",
  },
  restoreMocks: true,
  // Flex UI talks while it loads. The tests listen to the console where it matters.
  silent: true,
};
