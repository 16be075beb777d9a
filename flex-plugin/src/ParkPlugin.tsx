import { FlexPlugin } from "@twilio/flex-plugin";
import type * as Flex from "@twilio/flex-ui";

import { createMover } from "./mover";
import { registerNotifications, showFailure, showFaults } from "./notifications";
import { ParkControl } from "./ParkControl";
import { readSettings } from "./settings";
import { registerTaskChannels } from "./taskChannels";

const NAME = "ChannelJanitorPark";

export class ParkPlugin extends FlexPlugin {
  constructor() {
    super(NAME);
  }

  init(flex: typeof Flex, manager: Flex.Manager): void {
    const read = readSettings({
      FLEX_APP_PARK_URL: process.env.FLEX_APP_PARK_URL,
      FLEX_APP_PARK_TASK_CHANNELS: process.env.FLEX_APP_PARK_TASK_CHANNELS,
    });
    if ("faults" in read) {
      // Chats that the server parks must be seen whatever our settings are; their attribute tells them.
      registerTaskChannels(flex, []);
      showFaults(flex, read.faults);
      return;
    }
    const { url, pairs } = read.settings;
    registerTaskChannels(flex, pairs);
    registerNotifications(flex);
    flex.TaskCanvasHeader.Content.add(
      <ParkControl
        key={NAME}
        pairs={pairs}
        move={createMover(url, () => manager.user.token)}
        onFailure={(failure) => showFailure(flex, failure)}
      />,
      { sortOrder: -1 },
    );
  }
}
