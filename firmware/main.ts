import { builtinCrypto } from "./crypto/builtin.ts";
import { start } from "./start.ts";

start(builtinCrypto);
