/** Live lessons in a plain web page: RTMP over one WebSocket, with ActionScript's names. Importing this has no side effects. */
export { Camera } from "./camera.js";
export { type AssetUrls, configure } from "./configure.js";
export { describe } from "./describe.js";
export { ObjectEncoding, Responder, SharedObject } from "./encoding.js";
export { NetStatusError, NetStatusEvent, type NetStatusEventMap } from "./events.js";
export { Microphone } from "./microphone.js";
export { NetConnection } from "./net-connection.js";
export { NetStream, type PublishType, type Renderer } from "./net-stream.js";
export type { StatusInfo, StreamStats } from "./protocol.js";
export { Screen } from "./screen.js";
export { SoundTransform } from "./sound-transform.js";
export { Video } from "./video.js";
