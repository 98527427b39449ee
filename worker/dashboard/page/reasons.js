// What the reasons of the status topic mean to a person, who has to act, and what to do. The words are those of
// docs/reference.md; a reason that is not here shows as it stands and counts as the operator's.
import {language} from './words.js';

const reasons = {
  invalid_job: ['producer', 'not a valid job', '任务格式无效', 'The dead letter’s wxcourier.error names the place in the job.', '死信的 wxcourier.error 指出了出错的位置。'],
  unknown_app: ['producer', 'unknown app', '未知应用', 'The configuration has no app of that name: a typing mistake of the producer, or an app still to be added.', '配置中没有这个应用：生产方拼写有误，或应用尚未添加。'],
  unknown_kind: ['producer', 'unknown kind', '未知类型', 'There is no such kind of message; docs/reference.md lists them.', '没有这种消息类型；见 docs/reference.md。'],
  forbidden_app: ['producer', 'app not allowed on this topic', '该主题不允许此应用', 'The jobs topic is reserved for other apps (topics.jobs in the configuration).', '该任务主题保留给其他应用（配置中的 topics.jobs）。'],
  invalid_recipient: ['recipient', 'recipient unknown', '收件人无效', 'The openid is unknown, or belongs to another account. Often: mixed-up apps at the producer.', 'openid 不存在或属于其他账号；常见原因是生产方混淆了应用。'],
  not_subscribed: ['recipient', 'recipient does not follow', '收件人未关注', 'The person does not follow the account, or has no open conversation with it.', '用户未关注，或没有可用的会话。'],
  refused_by_user: ['recipient', 'refused by the recipient', '收件人拒收', 'The person refused, or their subscription is used up. Nothing to repair.', '用户拒绝接收，或订阅次数已用完。无需处理。'],
  invalid_template: ['operator', 'template unknown or blocked', '模板无效或被封禁', 'The template is unknown, disabled or banned. Look at it in the WeChat console; all its messages fail until then.', '模板不存在、已停用或被封禁。请在微信后台检查；在此之前使用它的消息都会失败。'],
  invalid_data: ['producer', 'message refused for its data', '消息内容不合规', 'WeChat refuses a value or the size of the message. The producer has to change what it sends.', '微信拒绝了某个值或消息大小，需要生产方修改。'],
  invalid_form_id: ['producer', 'form_id wrong or used up', 'form_id 无效', 'The form_id is wrong, expired or used up.', 'form_id 错误、过期或已使用。'],
  content_refused: ['operator', 'content refused by WeChat', '内容被微信拒绝', 'WeChat refuses what the message says. Repeated offences cost the account its rights.', '微信拒绝了消息内容；多次违规会影响账号权限。'],
  not_permitted: ['operator', 'not permitted', '无权限', 'The account may not make this call, or WeChat has withdrawn it. See the code in docs/wechat-errors.md.', '账号无权调用，或微信已下线该接口。见 docs/wechat-errors.md。'],
  unknown_error: ['operator', 'unknown error code', '未知错误码', 'wxcourier does not know this code. The example shows WeChat’s own text.', 'wxcourier 不认识这个错误码；例子中有微信的原文。'],
  retries_exhausted: ['operator', 'gave up after many tries', '重试后放弃', 'No final answer within delivery.retry.give_up_after: WeChat or the network was in trouble for long.', '在 delivery.retry.give_up_after 内没有最终应答：微信或网络长时间异常。'],
  outcome_unknown: ['operator', 'outcome unknown', '结果未知', 'The message may have arrived; it is not sent again. Replay only what may come twice.', '消息可能已送达，不会再发。只重放允许重复的消息。'],
  expired: ['producer', 'expire_at passed', '超过 expire_at', 'It could not be sent before the job’s own expire_at. Many of them: look at waiting messages and at latency.', '未能在任务的 expire_at 之前发送。数量多时请检查等待中的消息和耗时。'],
  too_old: ['operator', 'too old', '任务过旧', 'The job was older than delivery.max_age when its turn came: the queue was too long, or stood still.', '轮到时任务已超过 delivery.max_age：队列过长或曾停滞。'],
  not_before: ['producer', 'not due yet', '未到发送时间', 'The job asked to be sent later.', '任务要求稍后发送。'],
  quota_exhausted: ['operator', 'day quota used up', '当日配额用完', 'WeChat’s day quota of the app is used up. It waits until WeChat resets it, at midnight in China.', '该应用的微信当日配额已用完，等待北京时间零点重置。'],
  rate_limited: ['operator', 'WeChat’s minute limit', '微信分钟限频', 'WeChat’s minute limit holds the app’s calls back. If it lasts: lower rate.per_second.', '微信的分钟频率限制。若持续出现，请降低 rate.per_second。'],
  recipient_limited: ['recipient', 'too many to this recipient', '该收件人收得太多', 'WeChat holds messages to this recipient back for a while.', '微信暂时限制发给该收件人的消息。'],
  app_halted: ['operator', 'app halted: credentials or account', '应用已停止：凭证或账号', 'The app’s secret, IP list or account needs a person. /readyz of a worker says why.', '该应用的密钥、IP 白名单或账号需要人工处理；原因见工作进程的 /readyz。'],
  app_paused: ['operator', 'paused by an operator', '被运维暂停', 'An operator has paused it. It goes on when resumed.', '运维人员已暂停，恢复后继续。'],
  app_resumed: ['operator', 'resumed by an operator', '运维已恢复', 'An operator ended the pause of the app.', '运维人员已恢复该应用。'],
  kind_paused: ['operator', 'kind paused', '类型已暂停', 'An operator paused a kind of message.', '运维人员已暂停该消息类型。'],
  kind_resumed: ['operator', 'kind resumed', '类型已恢复', 'An operator ended the pause of a kind.', '运维人员已恢复该消息类型。'],
  template_paused: ['operator', 'template paused', '模板已暂停', 'An operator paused a template.', '运维人员已暂停该模板。'],
  template_resumed: ['operator', 'template resumed', '模板已恢复', 'An operator ended the pause of a template.', '运维人员已恢复该模板。'],
  rate_changed: ['operator', 'rate changed', '速率已更改', "An operator changed the app's rate, burst or concurrency.", '运维人员更改了速率、突发量或并发数。'],
  token_refreshed: ['operator', 'token refresh asked for', '已请求刷新令牌', 'An operator asked for a new access token.', '运维人员请求了新的 access_token。'],
  drain: ['operator', 'worker drained', '实例已排空', 'An operator had a worker drain and end.', '运维人员让一个实例排空并退出。'],
};

const row = (reason) => reasons[reason] ?? ['operator', reason, reason, '', ''];

/** Who has to act: `operator`, `producer`, or `recipient` (nobody). */
export const whoActs = (reason) => row(reason)[0];
/** The reason in a few words. */
export const reasonText = (reason) => (language() === 'zh' ? row(reason)[2] : row(reason)[1]) || reason;
/** What to do about it. */
export const advice = (reason) => (language() === 'zh' ? row(reason)[4] : row(reason)[3]);
