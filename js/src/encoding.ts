/** How arguments of calls are written: AMF0, or AMF3 inside AMF0. */
export const ObjectEncoding = { AMF0: 0, AMF3: 3, DEFAULT: 0 } as const;
export type ObjectEncoding = 0 | 3;

/** Holds the default encoding that classic programs set; shared objects themselves are not part of this package. */
export class SharedObject {
  static defaultObjectEncoding: ObjectEncoding = ObjectEncoding.AMF0;
}

/** Where the answer to a call goes: `result` for `_result`, `status` for `_error`. */
export class Responder {
  constructor(
    readonly result: ((value: unknown) => void) | null,
    readonly status: ((error: unknown) => void) | null = null,
  ) {}
}
