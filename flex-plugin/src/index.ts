import { loadPlugin } from "@twilio/flex-plugin";

import { ParkPlugin } from "./ParkPlugin";

loadPlugin(ParkPlugin);
