import * as FlexPlugin from "@twilio/flex-plugin";

import { ParkPlugin } from "./ParkPlugin";

// Twilio's scripts refuse a plugin unless this file calls `loadPlugin` once, with a dot before it.
FlexPlugin.loadPlugin(ParkPlugin);
