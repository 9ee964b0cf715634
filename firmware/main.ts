import "./begun.ts";
import { boardCrypto } from "./crypto/board.ts";
import { start } from "./start.ts";

start(boardCrypto);
