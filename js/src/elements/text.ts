import type { Language } from "../language.js";

const TEXT = {
  player: ["Lesson player", "课程播放器"],
  picture: ["Picture of the lesson", "课程画面"],
  connecting: ["Connecting…", "正在连接…"],
  idle: ["No lesson is chosen", "未选择课程"],
  waiting: ["The lesson has not started yet", "课程尚未开始"],
  waitingMore: ["It begins here by itself when the teacher starts.", "老师开始后，这里会自动播放。"],
  ended: ["The lesson has ended", "课程已结束"],
  endedMore: ["If it goes on, it begins here by itself.", "如果继续上课，这里会自动播放。"],
  paused: ["Paused", "已暂停"],
  joining: ["One moment…", "请稍候…"],
  buffering: ["Getting ready: {have} of {want} s", "正在缓冲：{have} / {want} 秒"],
  retrying: ["Trying again in {seconds} s.", "{seconds} 秒后重试。"],
  retry: ["Try again now", "立即重试"],
  problem: ["The lesson cannot be shown", "无法显示课程"],
  unreachable: ["No connection", "无法连接"],
  lost: ["The connection was lost", "连接已断开"],
  unmute: ["Tap to unmute", "点按开启声音"],
  sound: ["Turn sound on", "打开声音"],
  mute: ["Turn sound off", "关闭声音"],
  volume: ["Volume", "音量"],
  play: ["Play", "播放"],
  pause: ["Pause", "暂停"],
  full: ["Full screen", "全屏"],
  small: ["Leave full screen", "退出全屏"],
  live: ["Live", "直播"],
  behind: ["{seconds} s behind", "延迟 {seconds} 秒"],

  publisher: ["Lesson studio", "授课台"],
  preview: ["Your picture", "您的画面"],
  start: ["Start the lesson", "开始上课"],
  stop: ["Stop the lesson", "结束上课"],
  starting: ["Starting…", "正在开始…"],
  share: ["Share screen", "共享屏幕"],
  unshare: ["Stop sharing", "停止共享"],
  camera: ["Camera", "摄像头"],
  microphone: ["Microphone", "麦克风"],
  none: ["None", "不使用"],
  cameraN: ["Camera {n}", "摄像头 {n}"],
  microphoneN: ["Microphone {n}", "麦克风 {n}"],
  level: ["Microphone level", "麦克风音量"],
  turnOn: ["Turn on camera and microphone", "打开摄像头和麦克风"],
  cameraOff: ["The camera is off", "摄像头未开启"],
  cameraOffMore: ["Your picture appears here before anybody else sees it.", "开始上课前，您可以先在这里看到自己的画面。"],
  asking: ["Allow the camera", "请允许使用摄像头"],
  askingMore: ["The browser asks whether this page may use camera and microphone: choose to allow them.", "浏览器正在询问是否允许本页面使用摄像头和麦克风，请选择允许。"],
  noCamera: ["Sound only", "仅声音"],
  again: ["Try again", "重试"],
  ready: ["Ready. Nobody sees you yet.", "准备就绪。现在还没有人能看到您。"],
  offline: ["Not live", "未直播"],
  onAir: ["You are live", "正在直播"],
  reconnecting: ["The connection was lost. Trying again in {seconds} s.", "连接已断开，{seconds} 秒后重试。"],
  sending: ["{width} × {height} · {fps} fps · {kbps} kbit/s", "{width} × {height} · {fps} fps · {kbps} kbit/s"],
  measuring: ["Measuring…", "正在统计…"],
} as const satisfies Record<string, readonly [en: string, zh: string]>;

export type TextKey = keyof typeof TEXT;

/** A text of the elements, with what stands in braces filled in. */
export function text(language: Language, key: TextKey, values: Record<string, string | number> = {}): string {
  const words: string = TEXT[key][language === "zh" ? 1 : 0];
  return words.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
