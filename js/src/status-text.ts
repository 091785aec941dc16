/** What each status code, or a code and its `reason`, means to the person in front of the page, in English and Chinese. */
export const STATUS_TEXT: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  "NetConnection.Connect.Success": ["Connected.", "已连接。"],
  "NetConnection.Connect.Closed": ["The connection has ended.", "连接已断开。"],
  "NetConnection.Connect.Closed/engine": ["A part of this page has stopped; it starts again by itself.", "页面的一部分已停止运行，将自动重新启动。"],
  "NetConnection.Connect.Failed": [
    "The server cannot be reached. Check the address and the network, and whether the gateway is running.",
    "无法连接服务器。请检查地址和网络，并确认网关正在运行。",
  ],
  "NetConnection.Connect.Failed/engine": [
    "A part of this page could not be loaded. Load the page again; if that does not help, its console says what is missing.",
    "页面的一部分未能加载。请刷新页面；如果仍然不行，控制台中有详细原因。",
  ],
  "NetConnection.Connect.Failed/address": [
    "The address of the lesson is not right. It looks like wss://host/live/lesson.",
    "课程地址不正确。正确的地址类似 wss://host/live/lesson。",
  ],
  "NetConnection.Connect.Rejected": [
    "The server refused the connection: it does not serve this application. Check the address, or ask for a new link.",
    "服务器拒绝了连接：它不提供这个应用。请检查地址，或索取新的链接。",
  ],
  "NetConnection.Connect.InvalidApp": ["The server does not know this application.", "服务器上没有这个应用。"],
  "NetConnection.Connect.AppShutdown": ["The server is shutting this application down.", "服务器正在关闭这个应用。"],
  "NetConnection.Connect.IdleTimeOut": ["The connection was idle for too long and was closed.", "连接闲置过久，已被关闭。"],
  "NetConnection.Connect.IdleTimeout": ["The connection was idle for too long and was closed.", "连接闲置过久，已被关闭。"],
  "NetConnection.Connect.NetworkChange": ["The network has changed.", "网络已切换。"],
  "NetConnection.Connect.ReconnectRequest": ["The server asks to connect again; this happens by itself.", "服务器要求重新连接，将自动进行。"],
  "NetConnection.Call.Failed": ["The server could not carry out a call.", "服务器未能执行调用。"],
  "NetConnection.Call.BadVersion": ["The server could not read a call.", "服务器无法解析调用。"],
  "NetConnection.Call.Prohibited": ["The server does not allow this call.", "服务器不允许此调用。"],
  "NetConnection.Proxy.NotResponding": ["The network's proxy does not answer.", "网络代理没有响应。"],

  "NetStream.Buffer.Empty": ["Waiting for more of the lesson to arrive.", "正在等待更多内容。"],
  "NetStream.Buffer.Full": ["Enough has arrived; playing.", "缓冲完成，正在播放。"],
  "NetStream.Buffer.Flush": ["The lesson has ended; the rest is playing.", "直播已结束，正在播放剩余内容。"],
  "NetStream.Connect.Success": ["The stream is connected.", "流已连接。"],
  "NetStream.Connect.Closed": ["The stream has ended.", "流已断开。"],
  "NetStream.Connect.Failed": ["The stream could not be opened.", "无法打开流。"],
  "NetStream.Connect.Rejected": ["The stream was refused.", "流被拒绝。"],
  "NetStream.Data.Start": ["Data is arriving.", "数据开始到达。"],
  "NetStream.Failed": ["Something went wrong with this stream.", "此流出现错误。"],
  "NetStream.Failed/nothing": [
    "There is neither a picture nor sound to send. Allow the camera or the microphone, then start again.",
    "没有可发送的画面或声音。请允许使用摄像头或麦克风，然后重新开始。",
  ],
  "NetStream.Sound.Failed": ["The sound cannot be played in this browser.", "此浏览器无法播放声音。"],
  "NetStream.Pause.Notify": ["Paused.", "已暂停。"],
  "NetStream.Unpause.Notify": ["Playing again.", "继续播放。"],

  "NetStream.Play.Start": ["Playing.", "开始播放。"],
  "NetStream.Play.Stop": ["Stopped.", "播放已停止。"],
  "NetStream.Play.Reset": ["Getting ready to play.", "准备播放。"],
  "NetStream.Play.Complete": ["The recording has ended.", "录像播放完毕。"],
  "NetStream.Play.Switch": ["The quality has changed.", "画质已切换。"],
  "NetStream.Play.Transition": ["The quality is changing.", "正在切换画质。"],
  "NetStream.Play.TransitionComplete": ["The quality has changed.", "画质已切换。"],
  "NetStream.Play.Failed": ["The lesson cannot be played.", "无法播放。"],
  "NetStream.Play.Failed/insecure": [
    "This page came over plain http, where browsers cannot play a lesson in the way this page asks for. Open it by its https address.",
    "本页面通过普通 http 打开，浏览器无法以本页面要求的方式播放课程。请改用 https 地址打开。",
  ],
  "NetStream.Play.Failed/unsupported": [
    "This browser is too old to play the lesson. Try a current Chrome, Edge, Firefox or Safari.",
    "此浏览器版本过旧，无法播放课程。请使用最新版 Chrome、Edge、Firefox 或 Safari。",
  ],
  "NetStream.Play.Denied": ["You may not watch this lesson. Ask the teacher for a new link.", "您没有观看权限。请向老师索取新的链接。"],
  "NetStream.Play.StreamNotFound": [
    "The lesson has not started yet. It begins here by itself when the teacher starts.",
    "课程尚未开始。老师开始后，这里会自动播放。",
  ],
  "NetStream.Play.PublishNotify": ["The teacher has started.", "老师已开始上课。"],
  "NetStream.Play.UnpublishNotify": ["The teacher has stopped. If the lesson goes on, it begins here by itself.", "老师已停止直播。如果继续上课，这里会自动播放。"],
  "NetStream.Play.InsufficientBW": ["The network is too slow for this lesson.", "网络速度不足以观看本课程。"],
  "NetStream.Play.NoSupportedTrackFound": ["This browser can play neither the picture nor the sound.", "此浏览器无法播放该画面和声音。"],
  "NetStream.Play.NoSupportedTrackFound/picture": [
    "This browser cannot show the picture. Try a current Chrome, Edge, Firefox or Safari.",
    "此浏览器无法显示画面。请使用最新版 Chrome、Edge、Firefox 或 Safari。",
  ],
  "NetStream.Play.NoSupportedTrackFound/sound": [
    "This browser cannot play the sound. Try a current Chrome, Edge, Firefox or Safari.",
    "此浏览器无法播放声音。请使用最新版 Chrome、Edge、Firefox 或 Safari。",
  ],
  "NetStream.Play.FileStructureInvalid": ["The recording is damaged.", "录像文件已损坏。"],
  "NetStream.Seek.Notify": ["Moved to another place.", "已跳转。"],
  "NetStream.Seek.Complete": ["Moved to another place.", "跳转完成。"],
  "NetStream.Seek.Failed": ["Could not move to that place.", "跳转失败。"],
  "NetStream.Seek.InvalidTime": ["There is nothing at that place.", "该位置没有内容。"],
  "NetStream.Step.Notify": ["Moved by a frame.", "已逐帧移动。"],
  "NetStream.Video.DimensionChange": ["The picture's size has changed.", "画面尺寸已改变。"],

  "NetStream.Publish.Start": ["You are live.", "已开始直播。"],
  "NetStream.Publish.BadName": [
    "Somebody is already publishing under this name. Close the other page, or choose another name.",
    "该名称已有人在直播。请关闭另一个页面，或换一个名称。",
  ],
  "NetStream.Publish.Denied": ["You may not publish here. Ask who runs the server for a new link.", "您没有直播权限。请向服务器管理员索取新的链接。"],
  "NetStream.Publish.Rejected": ["The server refused to take the stream.", "服务器拒绝接收该流。"],
  "NetStream.Publish.Idle": ["Nothing has been sent for a while.", "已有一段时间没有发送内容。"],
  "NetStream.Unpublish.Success": ["You are no longer live.", "直播已停止。"],
  "NetStream.Record.Start": ["Recording.", "开始录制。"],
  "NetStream.Record.Stop": ["The recording has ended.", "录制已停止。"],
  "NetStream.Record.Failed": ["The recording has failed.", "录制失败。"],
  "NetStream.Record.NoAccess": ["The server does not allow recording here.", "服务器不允许在此录制。"],
  "NetStream.Record.AlreadyExists": ["There is a recording of this name already.", "同名录像已存在。"],
  "NetStream.Record.DiskQuotaExceeded": ["The server has no room for the recording.", "服务器录制空间不足。"],

  "Camera.Unmuted": ["The camera is on.", "摄像头已开启。"],
  "Camera.Muted": ["The camera is off.", "摄像头已关闭。"],
  "Microphone.Unmuted": ["The microphone is on.", "麦克风已开启。"],
  "Microphone.Muted": ["The microphone is off.", "麦克风已关闭。"],
  "Screen.Unmuted": ["The screen is being shared.", "正在共享屏幕。"],
  "Screen.Muted": ["The screen is not shared.", "屏幕未共享。"],
};

/** Why a device is off and what to do about it; `{device}` and `{feature}` are filled in. */
export const REASON_TEXT: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  insecure: [
    "The {device} is off because this page came over plain http. Browsers give it to https pages and to localhost only: open this page by its https address.",
    "{device}不可用，因为本页面通过普通 http 打开。浏览器只允许 https 页面和 localhost 使用{device}：请改用 https 地址打开。",
  ],
  unsupported: ["This browser cannot use the {device}. Try a current Chrome, Edge or Firefox.", "此浏览器无法使用{device}。请使用最新版 Chrome、Edge 或 Firefox。"],
  frame: [
    'This page sits in a frame that may not use the {device}. Whoever runs the surrounding page must add allow="{feature}" to the iframe; or open this page in a tab of its own. If it is there, allow the {device} at the sign left of the address.',
    '本页面所在的框架不允许使用{device}。请让外层页面的管理员为 iframe 加上 allow="{feature}"，或在新标签页中单独打开。如果已经加上，请点击地址栏左侧的图标允许使用{device}。',
  ],
  denied: [
    "The {device} was not allowed. Click the sign left of the address, allow the {device}, then try again.",
    "未获得{device}权限。请点击地址栏左侧的图标，允许使用{device}，然后重试。",
  ],
  missing: ["No {device} was found. Plug one in, then try again.", "没有找到{device}。请接好设备后重试。"],
  busy: ["The {device} cannot be read. Close other programs that use it, then try again.", "无法读取{device}。请关闭正在使用它的其他程序后重试。"],
  ended: ["The {device} has stopped.", "{device}已停止。"],
  cancelled: ["Nothing was chosen to share.", "没有选择要共享的内容。"],
  failed: ["The {device} could not be started. Try again, or restart the browser.", "{device}无法启动。请重试，或重启浏览器。"],
};

/** The devices' names in sentences. */
export const DEVICE_TEXT: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  Camera: ["camera", "摄像头"],
  Microphone: ["microphone", "麦克风"],
  Screen: ["screen", "屏幕"],
};

/** What a code of an unknown kind means, by its level. */
export const LEVEL_TEXT: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  status: ["The server says: {code}.", "服务器消息：{code}。"],
  warning: ["The server warns: {code}.", "服务器警告：{code}。"],
  error: ["Something went wrong: {code}.", "出现错误：{code}。"],
};
