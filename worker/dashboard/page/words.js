// Everything the page says, in English and Chinese.

const texts = {
  en: {
    other_language: '中文', skip: 'Skip to the figures', filters: 'Filters', theme: 'Light or dark', keys: 'Keys', close: 'Close',
    lookup: 'Look up a job', lookup_hint: 'Job id …',
    app: 'App', kind: 'Kind', state: 'State', time: 'Time', all: 'All', none: '(none)', others: '(others)',
    range_all: 'All', range_now: 'From now', clear: 'Clear filters',
    title_5m: 'The last 5 minutes', title_15m: 'The last 15 minutes', title_1h: 'The last hour', title_6h: 'The last 6 hours',
    title_24h: 'The last 24 hours', title_7d: 'The last 7 days', title_all: 'Everything that was read', title_now: 'Only what comes from now on',
    in_5m: 'in the last 5 minutes', in_15m: 'in the last 15 minutes', in_1h: 'in the last hour', in_6h: 'in the last 6 hours',
    in_24h: 'in the last 24 hours', in_7d: 'in the last 7 days', in_all: 'in all that was read', in_fixed: 'in this time', since_time: 'since {time}',
    unit_d: 'd', unit_h: 'h', unit_min: 'min', unit_s: 's', just_now: 'now', in_span: 'in {span}', ago: '{span} ago',
    live: 'live', connecting: 'connecting …', reconnecting: 'connection lost, trying again …', kafka_down: 'Kafka does not answer', paused: 'paused', refused: 'refused: {why}',
    verdict_wait: 'Reading …', verdict_quiet: 'Nothing was reported', verdict_good: 'Messages are being delivered', verdict_good_past: 'Messages were delivered',
    verdict_warn: 'Delivering, with something to look at', verdict_bad: 'Delivery is failing', verdict_filtered: 'Only “{state}” is shown',
    verdict_waiting: 'Nothing was sent; messages wait',
    why_quiet: 'No status {range}. The latest one came {ago}, at {time}.', why_empty: 'The topic {topic} has had no status yet. They appear here as they come.',
    why_sent: '{sent} sent {range}, {share} of what ended.', why_recipients: '{count} refused by their recipients: that needs nobody.',
    why_failure: '{what} – {count} since {time}{apps}', why_halted: '{app} is halted: {count} wait until its credentials or account are put right',
    why_waiting: '{app} waits: {reason}, {count} until {time}', why_overdue: '{count} should have been tried again by now', in_apps: ' ({apps})',
    figure_sent: 'Sent', figure_share: 'Arrived', figure_lost: 'Not sent', figure_waiting: 'Waiting now', figure_p50: 'Half within', figure_p99: '99 % within',
    rate_now: '{rate}/s now', of_ended: 'of {count} that ended', to_act_on: '{count} to act on', nothing_to_act_on: 'nothing to act on', next_at: 'next {time}', nobody_waits: 'nothing is held back',
    p90: '90 % within {latency}', from_enqueue: 'from queue to WeChat’s answer',
    over_time: 'Over time', chart_sent: 'Sent', chart_lost: 'Not sent', chart_latency: 'Latency', per_second: 'per second', half: 'half within', most: '99 % within',
    chart_note: 'A column is {step}.', drag_hint: 'Drag over a chart to look into a time; double-click to leave it.',
    failures: 'What fails, and why', failures_none: 'Nothing failed {range}.', more_rows: 'and {count} more reasons', first_seen: 'since', last_seen: 'last',
    of_share: '{share}', examples: 'Latest examples', no_examples: 'No example is remembered any more.', only_these: 'Show only these',
    who_operator: 'you', who_producer: 'producer', who_recipient: 'recipient',
    waiting: 'What waits, and until when', waiting_none: 'Nothing is held back.', waiting_incomplete: 'There are more than are counted here.',
    head_app: 'App', head_kind: 'Kind', head_reason: 'Reason', head_count: 'Messages', head_next: 'Next try', head_last: 'Last try', head_since: 'Waiting since', overdue: '{count} overdue',
    groups: 'By app and kind', groups_none: 'No statuses {range}.', head_sent: 'Sent', head_lost: 'Not sent', head_share: 'Arrived', head_half: 'Half within', head_most: '99 % within', head_deferred: 'Deferred',
    recent: 'Latest', list_all: 'sent ones too', recent_none: 'None {range}.', recent_none_hint: 'Tick “sent ones too” to see all.', pause: 'Pause', resume: 'Go on',
    head_time: 'Time', head_state: 'State', head_job: 'Job', head_to: 'Recipient', head_why: 'Why', head_latency: 'Latency',
    workers: '{count} workers have reported', workers_one: '1 worker has reported', workers_none: 'No worker has reported yet', worker_row: '{name}: {count}, last {ago}',
    history_all: 'Counted from the beginning of the topic.', history_since: 'Counted since {time}.', history_live: 'Counted since this dashboard began, {time}.', history_read: 'Read from the start of the topic',
    reading: 'Reading the history: {share}, {done} of {total}. Older figures still grow; what is new is already here.',
    behind: '{count} statuses are still to be read: the figures lag behind.', stale: 'The page has lost the dashboard. The figures stand still since {time}.',
    kafka_trouble: 'Kafka does not answer: {why}. The figures may stand still.', range_partial: 'The figures begin at {time}; what is older has not been read.', kept_partial: 'Of this time the page remembers what came since {time}.',
    overflow: 'There are more apps, kinds and reasons than are told apart; the rest is under “(others)”.', counted: '{read} statuses read from {topic} · {unreadable}wxcourier {version}', unreadable: '{count} records were no statuses · ',
    job_title: 'Job {id}', job_looking: 'Looking …', job_missing: 'This job is not among the latest statuses.', job_search: 'Search the whole topic', job_search_more: 'Search the whole topic for more', job_searching: 'Searching the topic: {done} of {total}', job_nothing: 'The topic holds no status of this job. It may not have ended yet, or its status has been deleted by the topic’s retention.',
    job_failed: 'That did not work: {why}', job_enqueued: 'Put on the queue', job_recipients: '{count} recipients: {states}', job_show_all: 'Show all {count}', no_recipient: 'without a recipient',
    until: 'until {time} ({span})', attempts: '{count} attempts', attempt: '1 attempt', took: 'after {latency}', worker: 'worker', source: 'source', msgid: 'msgid', code: 'code {code}',
    state_sent: 'sent', state_failed: 'failed', state_expired: 'expired', state_rejected: 'rejected', state_simulated: 'simulated', state_deferred: 'deferred', state_delivered: 'delivered', state_undelivered: 'undelivered', state_event: 'operator',
    key_lookup: 'look up a job', key_range: 'time: 5 minutes … everything', key_now: 'count from now on', key_pause: 'pause, go on', key_filters: 'app, kind, state', key_theme: 'light or dark', key_language: 'English or 中文', key_clear: 'clear the filters', key_help: 'this list', or: 'or',
  },
  zh: {
    other_language: 'English', skip: '跳到数据', filters: '筛选', theme: '浅色或深色', keys: '快捷键', close: '关闭',
    lookup: '查找任务', lookup_hint: '任务 id …',
    app: '应用', kind: '类型', state: '状态', time: '时间', all: '全部', none: '（无）', others: '（其他）',
    range_all: '全部', range_now: '从现在起', clear: '清除筛选',
    title_5m: '最近 5 分钟', title_15m: '最近 15 分钟', title_1h: '最近 1 小时', title_6h: '最近 6 小时',
    title_24h: '最近 24 小时', title_7d: '最近 7 天', title_all: '已读取的全部', title_now: '只统计从现在起的',
    in_5m: '最近 5 分钟', in_15m: '最近 15 分钟', in_1h: '最近 1 小时', in_6h: '最近 6 小时',
    in_24h: '最近 24 小时', in_7d: '最近 7 天', in_all: '已读取的全部记录中', in_fixed: '这段时间', since_time: '自 {time} 起',
    unit_d: '天', unit_h: '小时', unit_min: '分', unit_s: '秒', just_now: '现在', in_span: '{span}后', ago: '{span}前',
    live: '实时', connecting: '连接中 …', reconnecting: '连接中断，正在重试 …', kafka_down: 'Kafka 无响应', paused: '已暂停', refused: '被拒绝：{why}',
    verdict_wait: '读取中 …', verdict_quiet: '没有任何状态', verdict_good: '消息正常送达', verdict_good_past: '消息已正常送达',
    verdict_warn: '正在发送，但有问题需要留意', verdict_bad: '发送正在失败', verdict_filtered: '只显示“{state}”',
    verdict_waiting: '没有发送，消息在等待',
    why_quiet: '{range}没有状态。最近一条在{ago}，{time}。', why_empty: '主题 {topic} 还没有状态，一有便会显示在这里。',
    why_sent: '{range}已发送 {sent} 条，占已结束的 {share}。', why_recipients: '{count} 条被收件人拒收：无需处理。',
    why_failure: '{what} – {count} 条，始于 {time}{apps}', why_halted: '{app} 已停止：{count} 条在等待，需修复其凭证或账号',
    why_waiting: '{app} 在等待：{reason}，{count} 条，至 {time}', why_overdue: '{count} 条早该重试', in_apps: '（{apps}）',
    figure_sent: '已发送', figure_share: '成功率', figure_lost: '未发送', figure_waiting: '正在等待', figure_p50: '半数耗时不超过', figure_p99: '99% 耗时不超过',
    rate_now: '现在 {rate} 条/秒', of_ended: '共结束 {count} 条', to_act_on: '{count} 条需要处理', nothing_to_act_on: '无需处理', next_at: '下次 {time}', nobody_waits: '没有被延后的消息',
    p90: '90% 不超过 {latency}', from_enqueue: '从入队到微信应答',
    over_time: '随时间变化', chart_sent: '已发送', chart_lost: '未发送', chart_latency: '耗时', per_second: '每秒', half: '半数不超过', most: '99% 不超过',
    chart_note: '每格 {step}。', drag_hint: '在图上拖动可放大一段时间，双击返回。',
    failures: '失败及原因', failures_none: '{range}没有失败。', more_rows: '另有 {count} 种原因', first_seen: '始于', last_seen: '最近',
    of_share: '{share}', examples: '最近的例子', no_examples: '例子已不在内存中。', only_these: '只看这些',
    who_operator: '需处理', who_producer: '生产方', who_recipient: '收件人',
    waiting: '等待中的消息及期限', waiting_none: '没有被延后的消息。', waiting_incomplete: '实际数量多于此处的统计。',
    head_app: '应用', head_kind: '类型', head_reason: '原因', head_count: '消息数', head_next: '最早重试', head_last: '最晚重试', head_since: '等待始于', overdue: '{count} 条已超期',
    groups: '按应用和类型', groups_none: '{range}没有状态。', head_sent: '已发送', head_lost: '未发送', head_share: '成功率', head_half: '半数耗时', head_most: '99% 耗时', head_deferred: '延后',
    recent: '最新状态', list_all: '包括已发送', recent_none: '{range}没有。', recent_none_hint: '勾选“包括已发送”可查看全部。', pause: '暂停', resume: '继续',
    head_time: '时间', head_state: '状态', head_job: '任务', head_to: '收件人', head_why: '原因', head_latency: '耗时',
    workers: '有 {count} 个工作进程上报过', workers_one: '有 1 个工作进程上报过', workers_none: '还没有工作进程上报', worker_row: '{name}：{count} 条，最近 {ago}',
    history_all: '从主题开头统计。', history_since: '自 {time} 起统计。', history_live: '自本面板启动（{time}）起统计。', history_read: '从主题开头读取',
    reading: '正在读取历史：{share}，{done} / {total}。较早的数字仍在增加，最新的已在此处。',
    behind: '还有 {count} 条状态未读，数字会滞后。', stale: '页面与面板的连接已中断，数字停留在 {time}。',
    kafka_trouble: 'Kafka 无响应：{why}。数字可能已停止更新。', range_partial: '数字始于 {time}，更早的尚未读取。', kept_partial: '这段时间只保留了 {time} 之后的数据。',
    overflow: '应用、类型和原因过多，其余归入“（其他）”。', counted: '已从 {topic} 读取 {read} 条状态 · {unreadable}wxcourier {version}', unreadable: '{count} 条记录不是状态 · ',
    job_title: '任务 {id}', job_looking: '查找中 …', job_missing: '最近的状态中没有这个任务。', job_search: '搜索整个主题', job_search_more: '在整个主题中继续搜索', job_searching: '正在搜索主题：{done} / {total}', job_nothing: '主题中没有这个任务的状态。它可能尚未结束，或状态已过保留期而被删除。',
    job_failed: '没有成功：{why}', job_enqueued: '进入队列', job_recipients: '{count} 位收件人：{states}', job_show_all: '显示全部 {count} 位', no_recipient: '无收件人',
    until: '至 {time}（{span}）', attempts: '尝试 {count} 次', attempt: '尝试 1 次', took: '耗时 {latency}', worker: '工作进程', source: '来源', msgid: 'msgid', code: '错误码 {code}',
    state_sent: '已发送', state_failed: '失败', state_expired: '已过期', state_rejected: '被拒绝', state_simulated: '模拟', state_deferred: '已延后', state_delivered: '已送达', state_undelivered: '未送达', state_event: '运维操作',
    key_lookup: '查找任务', key_range: '时间：5 分钟 … 全部', key_now: '从现在起统计', key_pause: '暂停、继续', key_filters: '应用、类型、状态', key_theme: '浅色或深色', key_language: 'English 或中文', key_clear: '清除筛选', key_help: '本列表', or: '或',
  },
};

let chosen = 'en';

export const language = () => chosen;

/** The language of the address, else the one chosen before, else the browser's. */
export function chooseLanguage(asked) {
  let kept = null;
  try { kept = localStorage.getItem('wxcourier.language'); } catch { /* storage may be off */ }
  const wanted = asked ?? kept ?? (navigator.languages ?? [navigator.language]).find((each) => /^(zh|en)/i.test(each)) ?? 'en';
  chosen = /^zh/i.test(wanted) ? 'zh' : 'en';
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en';
}

/** A text, its `{places}` filled in. */
export function word(key, values = {}) {
  const text = texts[chosen][key] ?? texts.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Writes the texts that stand in the document itself. */
export function translate() {
  for (const each of document.querySelectorAll('[data-text]')) each.textContent = word(each.dataset.text);
  for (const each of document.querySelectorAll('[data-title]')) each.title = word(each.dataset.title);
  for (const each of document.querySelectorAll('[data-label]')) each.setAttribute('aria-label', word(each.dataset.label));
  for (const each of document.querySelectorAll('[data-placeholder]')) each.placeholder = word(each.dataset.placeholder);
}
