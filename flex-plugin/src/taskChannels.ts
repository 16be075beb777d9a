import type * as Flex from "@twilio/flex-ui";

import { chatState } from "./chat";
import type { Pair } from "./settings";
import { parkedLine } from "./timeLeft";

/**
 * Makes Flex show a task on an inactive TaskChannel as a chat, with canvas and message input, and as parked. Flex's own
 * definitions know its own TaskChannels only.
 *
 * SMS and WhatsApp keep what Flex gives them: their icons and colours, and a shorter limit for a message, over which
 * Twilio would refuse it.
 *
 * The second line is a function of the task, because it holds the time left. Flex calls it each second.
 */
export function registerTaskChannels(flex: typeof Flex, pairs: readonly Pair[]): void {
  const { ChatSms, ChatWhatsApp } = flex.DefaultTaskChannels;
  const own = new Map([
    ["sms", ChatSms],
    ["whatsapp", ChatWhatsApp],
  ]);
  const define = (name: string, ofType: (type: string) => boolean): Flex.TaskChannelDefinition => {
    const definition = flex.DefaultTaskChannels.createChatTaskChannel({
      name,
      isApplicable: (task) => chatState(task, pairs) === "parked" && ofType(task.channelType),
    });
    const { TaskListItem, TaskCanvasHeader } = definition.templates ?? {};
    const secondLine =
      (template: Flex.TaskStatusBasedType | undefined): Flex.TaskCallbackType<string> =>
      (task, component) =>
        task.status === "accepted"
          ? parkedLine(task, Date.now())
          : flex.TaskChannelHelper.getTemplateForStatus(task, template, component);
    return {
      ...definition,
      templates: {
        ...definition.templates,
        TaskListItem: { ...TaskListItem, secondLine: secondLine(TaskListItem?.secondLine) },
        TaskCanvasHeader: { ...TaskCanvasHeader, secondLine: secondLine(TaskCanvasHeader?.secondLine) },
      },
    };
  };
  flex.TaskChannels.register(define("parked-chat", (type) => !own.has(type)));
  for (const [type, { charLimit, icons, colors }] of own) {
    const definition = define(`parked-${type}`, (other) => other === type);
    flex.TaskChannels.register({ ...definition, charLimit, ...(icons && { icons }), ...(colors && { colors }) });
  }
}
