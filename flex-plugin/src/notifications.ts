import type * as Flex from "@twilio/flex-ui";

import { type Failure, strings } from "./strings";

const SETTINGS = "ChannelJanitorSettings";
const id = (failure: Failure): string => `ChannelJanitorNotMoved_${failure}`;

/** Tells Flex how each failure reads. They stay until the agent closes them. */
export function registerNotifications(flex: typeof Flex): void {
  for (const [failure, content] of Object.entries(strings.failures)) {
    flex.Notifications.registerNotification({
      id: id(failure as Failure),
      content,
      type: flex.NotificationType.error,
      timeout: 0,
      closeButton: true,
    });
  }
}

/** Shows why a chat was not moved. One that is still shown is shown once. */
export function showFailure(flex: typeof Flex, failure: Failure): void {
  flex.Notifications.dismissNotificationById(id(failure));
  flex.Notifications.showNotification(id(failure));
}

/** Shows that the settings are wrong, and why. */
export function showFaults(flex: typeof Flex, faults: readonly string[]): void {
  const content = strings.settings(faults);
  console.error(content);
  flex.Notifications.registerNotification({
    id: SETTINGS,
    content,
    type: flex.NotificationType.error,
    timeout: 0,
    closeButton: true,
  });
  flex.Notifications.showNotification(SETTINGS);
}
