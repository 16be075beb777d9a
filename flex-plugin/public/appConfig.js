// Flex's settings while `twilio flex:plugins:start` serves the plugin on this machine. A deployed plugin does not use it.
var appConfig = {
  pluginService: {
    enabled: true,
    url: "/plugins",
  },
  ytica: false,
  logLevel: "info",
  showSupervisorDesktopView: true,
};
