/**
 * What the hub tells a user when something can't be done. The message says what happened, to which board, file or byte, and what to do next.
 * `code` is for programs: snake_case, stable. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no board.
 */
export class ToolError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
  get exitCode(): number {
    return 1;
  }
}

/** The link to a board, or the board itself. */
export class DeviceError extends ToolError {
  override get exitCode(): number {
    return ["no_port", "port_busy", "silent", "disconnected"].includes(this.code) ? 3 : 1;
  }
}

/** A file or a log that is not what it should be. */
export class FormatError extends ToolError {}

/** A server's answer. */
export class ApiError extends ToolError {
  constructor(
    code: string,
    message: string,
    readonly status: number,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** What the user asked for doesn't go together: options, settings, a board that can't do it. */
export class ConfigError extends ToolError {
  override get exitCode(): number {
    return 2;
  }
}
